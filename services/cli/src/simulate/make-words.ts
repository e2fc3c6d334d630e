import type { Random } from './random.ts';

const ONSETS = ['b', 'br', 'd', 'dr', 'f', 'g', 'gl', 'k', 'l', 'm', 'n', 'p', 'qu', 'r', 's', 'st', 't', 'tr', 'v', 'vr', 'z'];
const VOWELS = ['a', 'e', 'i', 'o', 'u', 'ae', 'io', 'ou'];
const CODAS = ['', '', '', 'l', 'n', 'r', 's', 'x', 'nd', 'rk', 'lm'];

/** A word of syllables that no language has, in lower case. */
export function makeWord(random: Random, syllables: number): string {
  let word = '';
  for (let at = 0; at < syllables; at++) word += random.pick(ONSETS) + random.pick(VOWELS);
  return word + random.pick(CODAS);
}

export function capitalise(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

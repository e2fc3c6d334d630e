import { InvalidArgumentError } from 'commander';

/** Readers of option values; what does not fit ends as a usage error with the range. */
export function integerBetween(min: number, max: number): (text: string) => number {
  return function readInteger(text) {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    return value;
  };
}

export function numberBetween(min: number, max: number): (text: string) => number {
  return function readNumber(text) {
    const value = Number(text);
    if (text.trim() === '' || !(value >= min && value <= max)) throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
    return value;
  };
}

/** For options that may be given several times. */
export function collect(text: string, former: readonly string[] = []): string[] {
  return [...former, text];
}

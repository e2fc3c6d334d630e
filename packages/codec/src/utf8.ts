/** Whether bytes `start` to `end` are well-formed UTF-8, by table 3-7 of the Unicode Standard. Allocates nothing. */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let seen = 0;
  let at = start;
  for (; at < end - 3; at += 4) seen |= bytes[at]! | bytes[at + 1]! | bytes[at + 2]! | bytes[at + 3]!;
  for (; at < end; at++) seen |= bytes[at]!;
  return seen < 128 || isWellFormed(bytes, start, end);
}

function isWellFormed(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const lead = bytes[at++]!;
    if (lead < 0x80) continue;
    if (lead < 0xc2 || lead > 0xf4) return false;
    const following = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (following > end - at) return false;
    // The second byte is narrower after four leads: it shuts out overlong forms, surrogates and code points past U+10FFFF.
    const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    const second = bytes[at]!;
    if (second < lowest || second > highest) return false;
    for (let index = 1; index < following; index++) if ((bytes[at + index]! & 0xc0) !== 0x80) return false;
    at += following;
  }
  return true;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\n\r]*/y;
const WORDS = ['true', 'false', 'null'];

/**
 * Where a text stops being JSON (RFC 8259): the index of the first character that can't be there, the length of the text when it ends too
 * early, null when it is JSON. It runs only after JSON.parse has failed, and keeps its own stack: nesting can't exhaust the call stack.
 */
export function findJsonError(text: string): number | null {
  const closers: string[] = [];
  let at = 0;
  let wrong = -1;

  for (;;) {
    skip(SPACE);
    const opened = skipValue();
    if (wrong >= 0) return wrong;
    if (opened) continue;
    // The value is complete: close what ends here, or go on to the next member.
    for (;;) {
      skip(SPACE);
      const closer = closers.at(-1);
      if (closer === undefined) return at < text.length ? at : null;
      if (text[at] === closer) {
        at++;
        closers.pop();
        continue;
      }
      if (text[at] !== ',') return at;
      at++;
      if (closer === '}') skipKey();
      if (wrong >= 0) return wrong;
      break;
    }
  }

  /** True when it opened an array or an object whose first value comes next. */
  function skipValue(): boolean {
    const first = text[at];
    if (first === '{' || first === '[') {
      at++;
      skip(SPACE);
      const closer = first === '{' ? '}' : ']';
      if (text[at] === closer) {
        at++;
        return false;
      }
      closers.push(closer);
      if (first === '{') skipKey();
      return true;
    }
    if (first === '"') skipString();
    else if (first === '-' || (first !== undefined && first >= '0' && first <= '9')) {
      if (!skip(NUMBER)) wrong = at + 1;
    } else skipWord(first);
    return false;
  }

  function skipWord(first: string | undefined): void {
    const word = WORDS.find((word) => word[0] === first) ?? '';
    if (word === '') wrong = at;
    for (let index = 0; index < word.length; index++, at++) {
      if (text[at] === word[index]) continue;
      wrong = at;
      return;
    }
  }

  function skipKey(): void {
    skip(SPACE);
    if (text[at] === '"') skipString();
    else wrong = at;
    if (wrong >= 0) return;
    skip(SPACE);
    if (text[at] === ':') at++;
    else wrong = at;
  }

  // By hand, because a regular expression keeps a way back for every character and gives up on strings of megabytes.
  function skipString(): void {
    for (at++; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (unit === 0x22) {
        at++;
        return;
      }
      if (unit < 0x20) break;
      if (unit !== 0x5c) continue;
      const escape = text[++at];
      if (escape === undefined || !'"\\/bfnrtu'.includes(escape)) break;
      if (escape !== 'u') continue;
      for (let digit = 0; digit < 4; digit++) {
        if (/[0-9a-fA-F]/.test(text[++at] ?? '')) continue;
        wrong = Math.min(at, text.length);
        return;
      }
    }
    wrong = Math.min(at, text.length);
  }

  function skip(pattern: RegExp): boolean {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  }
}

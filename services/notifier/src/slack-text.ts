/** Names and ids come from outside: what they hold must neither break a Slack message nor say something in our name. */

/** Line ends and other controls, and what turns the direction of writing, which could have a name read as another. */
const HOSTILE = /[\p{Cc}\p{Zl}\p{Zp}\u061C\u200B\u200E\u200F\u202A-\u202E\u2060-\u2069\uFEFF]+/gu;
const CUT = '…';
/** Slack refuses a text that is empty. */
const NOTHING = '–';

/** One line of plain text, at most so many UTF-16 units: Slack counts characters, which are never more. */
export function plainText(text: string, most: number): string {
  return cut(clean(text), most, (character) => character);
}

/** The same for Slack's mrkdwn: `<!channel>` and the like can't be written with what is left. Its length counts as it is sent. */
export function markdownText(text: string, most: number): string {
  return cut(clean(text), most, escaped);
}

function clean(text: string): string {
  return text.toWellFormed().replaceAll(HOSTILE, ' ').replaceAll(/\s+/g, ' ').trim() || NOTHING;
}

function escaped(character: string): string {
  return character === '&' ? '&amp;' : character === '<' ? '&lt;' : character === '>' ? '&gt;' : character;
}

/** Whole characters only: half of one, or of an escape, would be another. */
function cut(text: string, most: number, encode: (character: string) => string): string {
  const whole = Array.from(text, encode);
  if (whole.reduce((sum, { length }) => sum + length, 0) <= most) return whole.join('');
  let kept = '';
  for (const part of whole) {
    if (kept.length + part.length + CUT.length > most) break;
    kept += part;
  }
  return kept + CUT;
}

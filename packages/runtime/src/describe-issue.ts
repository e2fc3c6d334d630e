import type { core } from 'zod';

/** What was wrong with a value, by kind. A closed list: clients and metrics see these codes. */
export const ISSUE_CODES = {
  missing_field: 'a required field is absent',
  unknown_field: 'the item has a field that is not known',
  wrong_type: 'a value has another JSON type than it must have',
  too_long: 'a text is too long, or a list or map has too many members',
  too_short: 'a text or list is too short',
  out_of_range: 'a number is outside its range, or a value is none of those allowed',
  bad_format: 'a text does not have the form it must have',
  invalid_unicode: 'a text holds control characters or half of a surrogate pair',
} as const;

export type IssueCode = keyof typeof ISSUE_CODES;

type Issue = core.$ZodIssue;
type Path = readonly PropertyKey[];

/**
 * A zod issue in our words: the code, and a sentence that names the field and the limit, never the value, which may be personal. A schema
 * with a message of its own says it after the field's name; `params.code` of a refinement names the code.
 * @param whole what to call the value itself when no field is at fault
 */
export function describeIssue(issue: Issue, whole: string): { readonly code: IssueCode; readonly message: string } {
  const field = issue.path.length === 0 ? whole : nameOf(issue.path);
  const say = (code: IssueCode, what: string) => ({ code, message: `${field} ${what}` });
  switch (issue.code) {
    case 'invalid_type':
      // zod calls NaN and the infinities another type; JSON reaches them by numbers such as 1e400.
      if (typeof issue.input === 'number' && !Number.isFinite(issue.input)) return say('out_of_range', 'must be a finite number');
      return issue.input === undefined ? say('missing_field', 'is missing') : say('wrong_type', `must be ${article(issue.expected)}`);
    case 'too_big':
      return describeBound(issue.origin, 'most', Number(issue.maximum), issue.inclusive ?? true, say);
    case 'too_small':
      return describeBound(issue.origin, 'least', Number(issue.minimum), issue.inclusive ?? true, say);
    case 'unrecognized_keys':
      return say('unknown_field', `has no field ${issue.keys.slice(0, 3).map(quote).join(', ')}${issue.keys.length > 3 ? ', ...' : ''}`);
    case 'invalid_value':
      return say('out_of_range', `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`);
    case 'invalid_format':
      return say('bad_format', formatOf(issue));
    case 'not_multiple_of':
      return say('out_of_range', `must be a multiple of ${issue.divisor}`);
    case 'invalid_key': {
      const inner = issue.issues[0];
      if (!inner) return say('bad_format', 'is not a valid key');
      const { code, message } = describeIssue({ ...inner, path: [] }, `the key ${quote(String(issue.path.at(-1)))}`);
      return { code, message: `${message} (in ${nameOf(issue.path.slice(0, -1))})` };
    }
    case 'invalid_union':
      return say('wrong_type', issue.message === 'Invalid input' ? 'is none of the forms it may have' : issue.message);
    case 'custom':
      return say(codeOf(issue.params), issue.message);
    default:
      return say('bad_format', issue.message);
  }
}

/** RFC 6901, in URI fragment form. */
export function pointerOf(path: Path): string {
  const parts = path.map((part) => encodeURIComponent(String(part).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1')));
  return ['#', ...parts].join('/');
}

function describeBound(
  origin: string,
  side: 'most' | 'least',
  bound: number,
  inclusive: boolean,
  say: (code: IssueCode, what: string) => { readonly code: IssueCode; readonly message: string },
): { readonly code: IssueCode; readonly message: string } {
  const code = side === 'most' ? 'too_long' : 'too_short';
  if (origin === 'string') return say(code, `must have at ${side} ${plural(bound, 'character')}`);
  if (origin === 'array' || origin === 'set') return say(code, `must have at ${side} ${plural(bound, 'member')}`);
  if (origin === 'object' || origin === 'record' || origin === 'map') return say(code, `must have at ${side} ${plural(bound, 'key')}`);
  if (inclusive) return say('out_of_range', `must be at ${side} ${bound}`);
  return say('out_of_range', `must be ${side === 'most' ? 'below' : 'above'} ${bound}`);
}

function formatOf(issue: core.$ZodIssueInvalidStringFormat): string {
  const { format, message } = issue;
  if (!message.startsWith('Invalid')) return message;
  return format === 'regex' ? `must match ${String(issue.pattern)}` : `must be a valid ${format}`;
}

function codeOf(params: Readonly<Record<string, unknown>> | undefined): IssueCode {
  const code = params?.['code'];
  return typeof code === 'string' && Object.hasOwn(ISSUE_CODES, code) ? (code as IssueCode) : 'bad_format';
}

function article(type: string): string {
  if (type === 'int') return 'a whole number';
  if (type === 'record' || type === 'map') return 'an object';
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `rules[0].where.url`: dots for names, brackets for indexes and for names that are no plain words. */
function nameOf(path: Path): string {
  let name = '';
  for (const part of path) {
    if (typeof part === 'number') name += `[${part}]`;
    else if (/^[A-Za-z_$][\w$]{0,63}$/.test(String(part))) name += name === '' ? String(part) : `.${String(part)}`;
    else name += `[${quote(String(part))}]`;
  }
  return name;
}

function quote(text: string): string {
  return JSON.stringify((text.length > 64 ? `${text.slice(0, 61)}...` : text).toWellFormed());
}

import { styleText } from 'node:util';

const COLOURS = { fatal: 'red', error: 'red', warn: 'yellow', info: 'green', debug: 'gray', trace: 'gray' } as const;
const COLOUR_BY_LEVEL: ReadonlyMap<string, 'red' | 'yellow' | 'green' | 'gray'> = new Map(Object.entries(COLOURS));

/** One JSON log line as a person reads it: time of day, level, message, then the other fields; the stack of an error below. */
export function humanLine(line: string): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const { time, level, msg, service: _service, err, ...rest } = entry;
  const clock = typeof time === 'string' ? time.slice(11, 23) : '';
  const label = String(level);
  const colour = COLOUR_BY_LEVEL.get(label);
  const fields = Object.entries(rest).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const parts = [
    styleText('gray', clock),
    colour ? styleText(colour, label.padEnd(5)) : label,
    text(msg),
    styleText('gray', fields.join(' ')),
  ];
  const stack = typeof err === 'object' && err !== null && 'stack' in err ? `\n${text(err.stack)}` : '';
  return `${parts.filter((part) => part !== '').join(' ')}${stack}\n`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

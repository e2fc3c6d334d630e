import { isRecord } from './api-client.ts';
import { CliError } from './cli-error.ts';
import { formatFigure } from './terminal/format.ts';

/** Reading of answers that a newer or older server may shape a little differently: what is missing shows as nothing. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

export function figureOf(value: unknown, digits = 1): string {
  return typeof value === 'number' ? formatFigure(value, digits) : '';
}

/** RFC 3339 to the second, in UTC, as in 2026-01-31 13:45:00Z. */
export function timeOf(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number') return '';
  const at = new Date(value);
  return Number.isNaN(at.getTime())
    ? String(value)
    : at
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, 'Z');
}

/** The `data` of a list. */
export function recordsOf(answer: unknown): Record<string, unknown>[] {
  if (!isRecord(answer) || !Array.isArray(answer['data'])) throw new CliError('The answer has no list in it. Is this a Touchstone server?');
  return answer['data'].filter(isRecord);
}

import { randomUUIDv7 } from 'node:crypto';
import type { Touch } from '@touchstone/codec';
import { AHEAD_MAX_MS, ID_MAX, MINUTES_MAX, PROPERTIES_MAX, PROPERTY_KEY_MAX, PROPERTY_VALUE_MAX, URL_MAX } from './limits.ts';
import { parseTime } from './parse-time.ts';
import { isPlainText, isProse, KIND } from './text-schemas.ts';
import type { TouchTimes } from './validate-touch.ts';

const NO_PROPERTIES: Touch['properties'] = Object.freeze({});

type OptionalText = string | null | undefined;

/**
 * The touch of an item that is plainly well-formed; null for all others, about which `validateTouch` decides. What this takes, that takes
 * too and with the same result: a test holds the two together. It exists because zod costs several times the rest of ingesting a touch.
 * @param clean no text of the item holds a control character or a lone surrogate, which the caller knows from the bytes it came from
 */
export function checkTouch(item: unknown, times: TouchTimes, clean: boolean): Touch | null {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return null;
  const { id, accountId, contactId, kind, occurredAt, minutes, channel, campaignId, creativeId, url, source, properties } = item as Record<
    string,
    unknown
  >;
  let known = +(id !== undefined) + +(accountId !== undefined) + +(contactId !== undefined) + +(kind !== undefined);
  known += +(occurredAt !== undefined) + +(minutes !== undefined) + +(channel !== undefined) + +(campaignId !== undefined);
  known += +(creativeId !== undefined) + +(url !== undefined) + +(source !== undefined) + +(properties !== undefined);
  for (const _key in item) known--;
  if (known !== 0) return null;

  if (typeof kind !== 'string' || !KIND.test(kind)) return null;
  if (!isText(id, ID_MAX, clean) || !isText(accountId, ID_MAX, clean) || !isText(contactId, ID_MAX, clean)) return null;
  if (!isText(channel, ID_MAX, clean) || !isText(campaignId, ID_MAX, clean) || !isText(creativeId, ID_MAX, clean)) return null;
  if (!isText(url, URL_MAX, clean) || !isText(source, ID_MAX, clean)) return null;
  if ((accountId ?? contactId ?? null) === null) return null;

  const at = timeOf(occurredAt, times.now);
  if (!(at <= times.now + AHEAD_MAX_MS && at >= times.oldest)) return null;
  const spent = minutes ?? 0;
  if (typeof spent !== 'number' || !(spent >= 0 && spent <= MINUTES_MAX)) return null;
  const own = properties ?? NO_PROPERTIES;
  if (!isTextMap(own, clean)) return null;

  return {
    id: id ?? randomUUIDv7(),
    accountId: accountId ?? null,
    contactId: contactId ?? null,
    kind,
    occurredAt: at,
    // Minus zero becomes zero.
    minutes: spent + 0,
    channel: channel ?? null,
    campaignId: campaignId ?? null,
    creativeId: creativeId ?? null,
    url: url ?? null,
    source: source ?? null,
    properties: own,
  };
}

function isText(value: unknown, max: number, clean: boolean): value is OptionalText {
  if (value === undefined || value === null) return true;
  return typeof value === 'string' && value.length > 0 && value.length <= max && (clean || isPlainText(value));
}

/** NaN, which no comparison holds for, when it is neither. */
function timeOf(value: unknown, now: number): number {
  if (typeof value === 'string') return parseTime(value);
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value + 0 : NaN;
  return value === undefined || value === null ? now : NaN;
}

function isTextMap(value: unknown, clean: boolean): value is Touch['properties'] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  let count = 0;
  for (const key in value) {
    const text = (value as Record<string, unknown>)[key];
    if (++count > PROPERTIES_MAX || typeof text !== 'string' || text.length > PROPERTY_VALUE_MAX) return false;
    if (key.length === 0 || key.length > PROPERTY_KEY_MAX || key === 'constructor' || key === 'prototype' || key === '__proto__')
      return false;
    if (!clean && !(isPlainText(key) && isProse(text))) return false;
  }
  return true;
}

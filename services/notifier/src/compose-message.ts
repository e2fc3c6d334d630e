import type { Alert } from '@touchstone/engine';
import type { DeliveryRow } from '@touchstone/store';
import { alertLinksOf } from './alert-link.ts';
import type { Digest } from './digest.ts';
import type { Endpoint } from './endpoint.ts';
import type { OutgoingRequest } from './send-request.ts';
import { slackAlert, slackDigest } from './slack-message.ts';
import { alertBody, digestBody } from './webhook-body.ts';
import { signatureHeader } from './webhook-secret.ts';

const USER_AGENT = 'touchstone-notifier/0.1';

/** The request of an attempt: body and id are the same for all attempts, time and signature its own. */
export function composeMessage(endpoint: Endpoint, row: DeliveryRow, publicUrl: string, now: number): OutgoingRequest {
  const headers = { 'content-type': 'application/json', 'user-agent': USER_AGENT };
  const options = { publicUrl, isTest: row.kind === 'test' };
  const isDigest = row.kind === 'digest';
  if (endpoint.kind === 'slack') {
    const message = isDigest
      ? slackDigest(JSON.parse(row.payload) as Digest, options)
      : slackAlert(JSON.parse(row.payload) as Alert, options, options.isTest ? null : alertLinksOf(endpoint, row, publicUrl));
    return { url: endpoint.url, headers, body: JSON.stringify(message) };
  }
  const body = isDigest ? digestBody(JSON.parse(row.payload) as Digest, options) : alertBody(JSON.parse(row.payload) as Alert, options);
  const timestamp = Math.floor(now / 1000);
  return {
    url: endpoint.url,
    headers: {
      ...headers,
      'webhook-id': row.id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signatureHeader({ id: row.id, timestamp, body }, endpoint.secrets),
    },
    body,
  };
}

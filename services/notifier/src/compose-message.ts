import type { Alert } from '@touchstone/engine';
import type { DeliveryRow } from '@touchstone/store';
import { alertLinksOf } from './alert-link.ts';
import { decisionBody, type DecisionChange } from './decision-change.ts';
import type { Digest } from './digest.ts';
import type { Endpoint } from './endpoint.ts';
import type { OutgoingRequest } from './send-request.ts';
import { slackAlert, slackDecision, slackDigest, type SlackMessage } from './slack-message.ts';
import { alertBody, digestBody, type BodyOptions } from './webhook-body.ts';
import { signatureHeader } from './webhook-secret.ts';

const USER_AGENT = 'touchstone-notifier/0.1';

/** The request of an attempt: body and id are the same for all attempts, time and signature its own. */
export function composeMessage(endpoint: Endpoint, row: DeliveryRow, publicUrl: string, now: number): OutgoingRequest {
  const { id: endpointId, url } = endpoint;
  const headers = { 'content-type': 'application/json', 'user-agent': USER_AGENT };
  const options = { publicUrl, isTest: row.kind === 'test' };
  if (endpoint.kind === 'slack') return { endpointId, url, headers, body: JSON.stringify(slackMessageOf(endpoint, row, options)) };
  const body = webhookBodyOf(row, options);
  const timestamp = Math.floor(now / 1000);
  return {
    endpointId,
    url,
    headers: {
      ...headers,
      'webhook-id': row.id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signatureHeader({ id: row.id, timestamp, body }, endpoint.secrets),
    },
    body,
  };
}

function slackMessageOf(endpoint: Endpoint, row: DeliveryRow, options: BodyOptions): SlackMessage {
  if (row.kind === 'decision') return slackDecision(JSON.parse(row.payload) as DecisionChange);
  if (row.kind === 'digest') return slackDigest(JSON.parse(row.payload) as Digest);
  const links = options.isTest ? null : alertLinksOf(endpoint, row, options.publicUrl);
  return slackAlert(JSON.parse(row.payload) as Alert, options, links);
}

function webhookBodyOf({ kind, payload }: DeliveryRow, options: BodyOptions): string {
  if (kind === 'decision') return decisionBody(JSON.parse(payload) as DecisionChange, options);
  return kind === 'digest' ? digestBody(JSON.parse(payload) as Digest, options) : alertBody(JSON.parse(payload) as Alert, options);
}

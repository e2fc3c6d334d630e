import type { Clock, HttpApp, Metrics } from '@touchstone/runtime';
import type { AlertAction } from '@touchstone/store';
import { z } from 'zod';
import { endsTooFarAhead, isSignedBy, readAlertLink, type AlertLink, type LinkAction } from './alert-link.ts';
import { confirmationPage, deadLinkPage, donePage, PAGE_POLICY } from './alert-link-page.ts';
import type { EndpointBook } from './endpoint-book.ts';
import type { RouteStore } from './notifier-store.ts';

const PATH = '/v1/alert-links/:token';
const SNOOZE_MS = 7 * 86_400_000;
const BY_MAX = 128;

const ACTION_NAMES = { ack: 'ack', snooze: 'snooze', 'not-useful': 'not_useful' } as const satisfies Record<
  LinkAction,
  AlertAction['action']
>;

interface LinkRouteOptions {
  readonly book: EndpointBook;
  readonly store: RouteStore;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

const html = (description: string) => ({ description, content: { 'text/html': { schema: z.string() } } });
const params = z.object({ token: z.string().min(1).max(512).describe('As the message has it') });
const response = { 200: html('A page'), 404: html('There is no such link'), 410: html('It is too old, or was used') };

type Judged = { readonly link: AlertLink; readonly by: string } | { readonly status: 404 | 410; readonly why: string };

/** The links of Slack messages. They need no key: their signature is one. */
export function registerAlertLinkRoutes(app: HttpApp, { book, clock, metrics, store }: LinkRouteOptions): void {
  async function judge(token: string): Promise<Judged> {
    const link = readAlertLink(token);
    const endpoint = link && book.get(link.endpointId);
    // One answer for all: who guesses learns nothing.
    const none = { status: 404, why: 'There is no such link.' } as const;
    if (!link || endpoint?.kind !== 'slack' || endpoint.state !== 'active' || !isSignedBy(link, endpoint)) return none;
    if (endsTooFarAhead(link, clock())) return none;
    if (link.expiresAt <= clock()) return { status: 410, why: 'This link is too old.' };
    const sent = await store.deliveriesOf(link.alertId);
    if (!sent.some(({ endpointId, kind }) => endpointId === endpoint.id && kind === 'alert')) return none;
    if (await store.hasActionNoted(link.alertId, noteOf(link))) return { status: 410, why: 'This link was used already.' };
    return { link, by: `Slack: ${endpoint.name}`.slice(0, BY_MAX).toWellFormed() };
  }

  // A scope of its own, since only here a form may be posted.
  void app.register(async (pages: HttpApp) => {
    pages.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: 1024 }, (_request, _body, done) =>
      done(null),
    );
    pages.addHook('onSend', async (_request, reply) => {
      reply.headers({ 'content-security-policy': PAGE_POLICY, 'cache-control': 'no-store', 'x-robots-tag': 'noindex' });
    });

    pages.get(
      PATH,
      {
        config: { scope: 'public' },
        schema: {
          operationId: 'openAlertLink',
          summary: 'Ask whether to do what a link of a message says',
          description: 'A page with a button. It changes nothing, so that programs that open links do no harm.',
          tags: ['alerts'],
          params,
          response,
        },
      },
      async (request, reply) => {
        const judged = await judge(request.params.token);
        reply.type('text/html; charset=utf-8').serializer(String);
        if ('why' in judged) return reply.code(judged.status).send(deadLinkPage(judged.why));
        return reply.send(confirmationPage(judged.link.action, judged.link.alertId));
      },
    );

    pages.post(
      PATH,
      {
        config: { scope: 'public' },
        schema: {
          operationId: 'useAlertLink',
          summary: 'Ack an alert, put it off for 7 days, or say that it was not useful, by a link of a message',
          description: 'Once, within 30 days. The link is signed and needs no key; it goes with its endpoint.',
          tags: ['alerts'],
          params,
          response,
        },
      },
      async (request, reply) => {
        const judged = await judge(request.params.token);
        reply.type('text/html; charset=utf-8').serializer(String);
        if ('why' in judged) return reply.code(judged.status).send(deadLinkPage(judged.why));
        const { by, link } = judged;
        const at = clock();
        const action = ACTION_NAMES[link.action];
        const until = action === 'snooze' ? at + SNOOZE_MS : null;
        await store.saveAlertAction({ alertId: link.alertId, action, by, at, until, note: noteOf(link) });
        metrics.count('alert_actions_total', { action });
        return reply.send(donePage(link.action));
      },
    );
  });
}

/** Tells that the link was used; too little of it to use it. */
function noteOf({ signature }: AlertLink): string {
  return `by a link, ${signature.slice(0, 16)}`;
}

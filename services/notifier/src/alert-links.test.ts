import { createHttpApp, createLogger, type HttpApp } from '@touchstone/runtime';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { alertLinksOf, isSignedBy, LINK_ACTIONS, readAlertLink, type LinkAction } from './alert-link.ts';
import { endpointOf as endpointOfRow, type Endpoint } from './endpoint.ts';
import { alertOf } from './test-alerts.ts';
import { messageOf } from './take-alerts.ts';
import { TestWorld } from './test-world.ts';
import { createSecret } from './webhook-secret.ts';

const DAY = 86_400_000;

describe('the links of a Slack message', () => {
  let world: TestWorld;
  let app: HttpApp;
  const alert = alertOf();
  /** By how much the clock of the routes is ahead. */
  let aheadMs = 0;

  beforeEach(async () => {
    aheadMs = 0;
    world = await TestWorld.start({ slack: { kind: 'slack', name: 'Sales <desk>' }, 'a.example': {} });
    app = await createHttpApp({
      logger: createLogger({ service: 'test', level: 'silent' }),
      metrics: world.metrics,
      keys: { verify: () => null },
      checkAnswers: true,
    });
    world.notifier.registerRoutes(app, () => world.scheduler.now() + aheadMs);
    await app.ready();
    await world.topic.append(0, [alert]);
    await world.scheduler.advance(0);
  });

  afterEach(() => app.close());

  /** Path of the button's link, as the message has it. */
  function pathOf(action: LinkAction): string {
    const { blocks } = JSON.parse(world.receivedBy('slack')[0]!.body) as {
      blocks: { type: string; elements: { action_id: string; url: string }[] }[];
    };
    const { url } = blocks.find(({ type }) => type === 'actions')!.elements.find(({ action_id: id }) => id === action)!;
    expect(url).toMatch(/^https:\/\/touchstone\.example\/v1\/alert-links\//);
    return new URL(url).pathname;
  }
  const open = (url: string) => app.inject({ url });
  /** As a browser posts the form. */
  const press = (url: string) =>
    app.inject({ method: 'POST', url, headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'null' } });

  test.each([
    ['ack', 'ack', null],
    ['snooze', 'snooze', 7 * DAY],
    ['not-useful', 'not_useful', null],
  ] as const)('%s: asks first, then does it, once', async (action, stored, snoozedMs) => {
    const path = pathOf(action);
    for (let i = 0; i < 3; i++) {
      const { body, headers, statusCode } = await open(path);
      expect(statusCode).toBe(200);
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'content-security-policy': expect.stringContaining("default-src 'none'"),
      });
      expect(body).toContain('<form method="post">');
      expect(body).not.toMatch(/<script|<img|<link|http-equiv/);
    }
    expect((await app.inject({ method: 'HEAD', url: path })).statusCode).toBe(200);
    expect(world.store.actions).toEqual([]);
    expect((await press(path)).statusCode).toBe(200);
    const now = world.scheduler.now();
    const done = {
      alertId: alert.id,
      action: stored,
      at: now,
      by: 'Slack: Sales <desk>',
      until: snoozedMs === null ? null : now + snoozedMs,
    };
    expect(world.store.actions).toEqual([expect.objectContaining(done)]);
    for (const again of [press, open])
      expect(await again(path)).toMatchObject({ statusCode: 410, body: expect.stringContaining('used already') });
    expect(world.store.actions).toHaveLength(1);
    expect(await world.metrics.text()).toContain(`touchstone_alert_actions_total{action="${stored}"} 1`);
  });

  it('are void after 30 days', async () => {
    const path = pathOf('ack');
    aheadMs = 30 * DAY - 1;
    expect((await open(path)).statusCode).toBe(200);
    aheadMs++;
    for (const use of [open, press]) expect((await use(path)).statusCode).toBe(410);
    expect(world.store.actions).toEqual([]);
  });

  it('are void with another action, alert, endpoint, end or signature', async () => {
    const [path, other] = [pathOf('ack'), pathOf('snooze')];
    const end = path.split('.').at(-2)!;
    const later = (Number.parseInt(end, 36) + 1).toString(36);
    const forged = [
      path.replace('.ack.', '.snooze.'),
      path.replace(alert.id, `${alert.id.slice(0, -1)}0`),
      path.replace('ep_', 'ep_x'),
      path.replace(`.${end}.`, `.${later}.`),
      path.replace(/[^.]+$/, other.split('.').at(-1)!),
      `${path}A`,
      '/v1/alert-links/x',
      `/v1/alert-links/${'x'.repeat(512)}`,
      `/v1/alert-links/${encodeURIComponent('<script>alert(1)</script>')}`,
    ];
    for (const url of forged) {
      for (const use of [open, press]) expect((await use(url)).statusCode, url).toBe(404);
      expect((await open(url)).body, url).not.toContain('<script>');
    }
    expect(world.store.actions).toEqual([]);
  });

  /** As whoever knows an endpoint's secret can sign one. */
  async function forge(host: string, id: string, takenAt: number): Promise<string> {
    const row = (await world.store.endpoints()).find(({ name, url }) => name === host || new URL(url).hostname === host)!;
    return new URL(alertLinksOf(endpointOfRow(row), { ...messageOf(alert, row.id, 'pending', takenAt), id }, 'https://t.example')!.ack)
      .pathname;
  }

  it('are void where no message had them: of webhooks, whose secrets others know, with an end far ahead, of alerts that were not sent there', async () => {
    const now = world.scheduler.now();
    expect((await open(await forge('slack', alert.id, now))).statusCode).toBe(200);
    const forged = [
      await forge('a.example', alert.id, now),
      await forge('slack', alert.id, now + DAY),
      await forge('slack', alert.id, now + 95 * 365 * DAY),
      await forge('slack', 'alr_none', now),
    ];
    for (const url of forged) for (const use of [open, press]) expect((await use(url)).statusCode, url).toBe(404);
    expect(world.store.actions).toEqual([]);
  });

  it('go with their endpoint', async () => {
    const path = pathOf('ack');
    const row = (await world.store.endpoints()).find(({ kind }) => kind === 'slack')!;
    await world.store.saveEndpoint({ ...row, revision: 1, state: 'disabled' });
    await world.scheduler.advance(10_000);
    for (const use of [open, press]) expect((await use(path)).statusCode).toBe(404);
  });

  it('do nothing while the store is away', async () => {
    const path = pathOf('ack');
    world.store.isAway = true;
    for (const use of [open, press]) expect((await use(path)).statusCode).toBe(503);
  });

  it('are no way in for other bodies', async () => {
    const path = pathOf('ack');
    const post = (headers: Record<string, string>, payload: string) => app.inject({ method: 'POST', url: path, headers, payload });
    expect((await post({ 'content-type': 'application/x-www-form-urlencoded' }, 'a'.repeat(2000))).statusCode).toBe(413);
    expect((await post({ 'content-type': 'text/plain' }, 'a')).statusCode).toBe(415);
    expect(world.store.actions).toEqual([]);
  });
});

it('a link is signed by its endpoint for just what it says, also after its secret was changed', () => {
  const secrets = [createSecret(), createSecret()];
  const endpointOf = (some: readonly string[]) => ({ id: 'ep_00ff', secrets: some }) as unknown as Endpoint;
  const row = messageOf(alertOf(), 'ep_00ff', 'pending', 1_700_000_000_000);
  fc.assert(
    fc.property(fc.constantFrom(...LINK_ACTIONS), fc.nat(42), fc.integer({ min: 1, max: 63 }), (action, at, step) => {
      const url = alertLinksOf(endpointOf([secrets[1]!]), row, 'https://t.example')![action];
      const link = readAlertLink(url.slice(url.lastIndexOf('/') + 1))!;
      expect(link).toMatchObject({ endpointId: 'ep_00ff', alertId: row.id, action, expiresAt: row.takenAt + 30 * DAY });
      expect(isSignedBy(link, { secrets })).toBe(true);
      expect(isSignedBy(link, { secrets: [secrets[0]!] })).toBe(false);
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      const changed = alphabet[(alphabet.indexOf(link.signature[at]!) + step) % 64]!;
      const signature = link.signature.slice(0, at) + changed + link.signature.slice(at + 1);
      expect(isSignedBy({ ...link, signature }, { secrets })).toBe(false);
    }),
  );
  expect(alertLinksOf(endpointOf([]), row, 'https://t.example')).toBeNull();
});

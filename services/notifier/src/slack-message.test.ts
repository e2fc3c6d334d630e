import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { DIGEST_ALERTS_MAX, type Digest } from './digest.ts';
import { SLACK_LIMITS, slackAlert, slackDigest, type SlackMessage } from './slack-message.ts';
import { alertOf, anyAlert, NOON } from './test-alerts.ts';

const options = { publicUrl: 'https://touchstone.example' };

const linksWith = (rest: string) => ({
  ack: `https://touchstone.example/v1/alert-links/a${rest}`,
  snooze: `https://touchstone.example/v1/alert-links/s${rest}`,
  'not-useful': `https://touchstone.example/v1/alert-links/n${rest}`,
});
const links = linksWith('');
const long = linksWith('x'.repeat(3000));

const anyDigest: fc.Arbitrary<Digest> = fc.record({
  owner: fc.option(fc.string({ unit: 'binary', maxLength: 3000 })),
  from: fc.constant(NOON),
  to: fc.constant(NOON + 3_600_000),
  total: fc.integer({ min: 1, max: 20_000 }),
  alerts: fc.array(anyAlert, { maxLength: DIGEST_ALERTS_MAX }),
});

/** Every text of a message, with whether markup in it counts. */
function textsOf({ blocks, text }: SlackMessage): { text: string; isMarkup: boolean }[] {
  const of = (one: { readonly type: string; readonly text: string }) => ({ text: one.text, isMarkup: one.type === 'mrkdwn' });
  const inBlocks = blocks.flatMap((block) => {
    if (block.type === 'header') return [of(block.text)];
    if (block.type === 'section') return [...(block.text ? [block.text] : []), ...(block.fields ?? [])].map(of);
    if (block.type === 'context') return block.elements.map(of);
    return block.elements.map((button) => of(button.text));
  });
  return [{ text, isMarkup: true }, ...inBlocks];
}

function assertFits(message: SlackMessage): void {
  const { blocks } = message;
  expect(blocks.length).toBeLessThanOrEqual(SLACK_LIMITS.blocks);
  for (const block of blocks) {
    if (block.type === 'header') expect(block.text.text.length).toBeLessThanOrEqual(150);
    if (block.type === 'section') {
      expect(block.text === undefined && block.fields === undefined).toBe(false);
      expect(block.text?.text.length ?? 0).toBeLessThanOrEqual(3000);
      if (block.fields !== undefined) expect(block.fields.length).toBeGreaterThan(0);
      expect(block.fields?.length ?? 0).toBeLessThanOrEqual(10);
      for (const { text } of block.fields ?? []) expect(text.length).toBeLessThanOrEqual(2000);
    }
    if (block.type === 'context') {
      expect(block.elements.length).toBeGreaterThan(0);
      expect(block.elements.length).toBeLessThanOrEqual(10);
      for (const { text } of block.elements) expect(text.length).toBeLessThanOrEqual(2000);
    }
    if (block.type === 'actions') {
      expect(block.elements.length).toBeGreaterThan(0);
      expect(block.elements.length).toBeLessThanOrEqual(25);
      for (const button of block.elements) {
        expect(button.text.text.length).toBeLessThanOrEqual(75);
        expect(button.action_id.length).toBeLessThanOrEqual(255);
        expect(button.url.length).toBeLessThanOrEqual(3000);
        expect(URL.canParse(button.url)).toBe(true);
      }
    }
  }
  const texts = textsOf(message);
  expect(texts.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(SLACK_LIMITS.total);
  for (const { isMarkup, text } of texts) {
    expect(text).not.toBe('');
    expect(text.isWellFormed()).toBe(true);
    expect(text).not.toMatch(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069\u2028]/u);
    if (!isMarkup) continue;
    // No text is a link, and every ampersand begins a whole escape.
    expect(text).not.toMatch(/[<>]/);
    expect(text.replaceAll(/&(amp|lt|gt);/g, '')).not.toContain('&');
  }
}

describe('a Slack message', () => {
  it("keeps Block Kit's limits, and says nothing in our name, whatever the alert holds", () => {
    fc.assert(
      fc.property(anyAlert, fc.boolean(), fc.constantFrom(null, links, long), (alert, isTest, some) =>
        assertFits(slackAlert(alert, { ...options, isTest }, some)),
      ),
      {
        numRuns: 150,
      },
    );
  });

  it('keeps them for a digest too', () => {
    fc.assert(
      fc.property(anyDigest, (digest) => assertFits(slackDigest(digest))),
      { numRuns: 30 },
    );
  });

  it('keeps them with addresses that are too long for a button', () => {
    const message = slackAlert(alertOf(), options, { ack: long.ack, snooze: long.ack, 'not-useful': long.ack });
    expect(message.blocks.some(({ type }) => type === 'actions')).toBe(false);
    assertFits(message);
  });

  it('leads nobody to what asks for a key', () => {
    const digest = { owner: 'Bo', from: NOON, to: NOON + 3_600_000, total: 1, alerts: [alertOf()] };
    expect(JSON.stringify([slackAlert(alertOf(), options, links), slackDigest(digest)])).not.toContain('/v1/accounts');
  });

  it('is what a rep reads', () => {
    const { blocks, text } = slackAlert(alertOf(), options);
    expect(text).toBe('acme.example crossed hot. score 64.25 → 72.5');
    expect(textsOf({ blocks, text: 'x' }).map((one) => one.text)).toEqual([
      'x',
      'acme.example crossed hot',
      '*score*\n64.25 → 72.5 (threshold 70)',
      '*Reach*\n4 contacts, 67 % of the wanted roles',
      '*Missing roles*\neconomic_buyer',
      '*Owner*\nbo@us.example',
      '*Why*\nmeeting by u1, 2026-11-22 11:49 UTC, campaign spring\n• u1 (champion): 60.5 points\n• somebody unknown: 6 points',
      '2026-11-22 11:50 UTC · cause: touch · model 2026-11-20.3 · revision 1842',
    ]);
  });

  it('says what decides a qualification besides its criteria', () => {
    const { blocks } = slackAlert(
      alertOf({ type: 'account.mqa.exited', met: ['pts', 'actNow'], missing: ['minContacts', 'exclude'] }),
      options,
    );
    const texts = textsOf({ blocks, text: 'x' }).map((one) => one.text);
    expect(texts).toContain('*Met*\npts, a touch to act on');
    expect(texts).toContain('*Not met*\nenough engaged contacts, not being excluded');
  });

  it('has a button for each link', () => {
    const { blocks } = slackAlert(alertOf(), options, links);
    const last = blocks.at(-1) as { elements: readonly { readonly text: { readonly text: string }; readonly url: string }[] };
    expect(last.elements.map((button) => [button.text.text, button.url])).toEqual([
      ['Ack', links.ack],
      ['Snooze 7 d', links.snooze],
      ['Not useful', links['not-useful']],
    ]);
    const one = slackAlert(alertOf(), options, { ...long, ack: links.ack }).blocks.at(-1) as typeof last;
    expect(one.elements.map((button) => button.text.text)).toEqual(['Ack']);
  });

  test.each([
    [{ type: 'account.threshold.recovered', direction: 'down' }, 'acme.example fell below hot'],
    [{ type: 'account.threshold.recovered', direction: 'down', threshold: null }, 'acme.example is no longer watched by hot'],
    [{ type: 'account.mqa.entered' }, 'acme.example is a qualified account'],
    [{ type: 'account.mqa.exited', direction: 'down' }, 'acme.example is no qualified account any more'],
    [{ type: 'account.stage.changed', currentStage: 'aware' }, 'acme.example moved on to aware'],
    [{ type: 'account.stage.changed', direction: 'down', currentStage: 'aware' }, 'acme.example fell back to aware'],
    [{ type: 'account.stage.changed', direction: 'down' }, 'acme.example is in no stage any more'],
    [{ type: 'account.surge.detected' }, 'acme.example does far more than usual'],
    [{ type: 'account.surge.detected', direction: 'down' }, 'acme.example does as much as usual again'],
    [{ type: 'account.coverage.changed', ruleId: 'silent' }, 'acme.example: silent began'],
    [{ type: 'account.coverage.changed', direction: 'down', ruleId: 'silent' }, 'acme.example: silent is over'],
  ] as const)('has the title of %o', (changes, title) => {
    expect(slackAlert(alertOf(changes), options).blocks[0]).toMatchObject({ text: { text: title } });
  });

  it('tells a digest by rank, and how many more there are', () => {
    const alerts = Array.from({ length: 12 }, (_, i) => alertOf({ accountId: `a${i}` }));
    const { blocks, text } = slackDigest({ owner: 'Bo', from: NOON, to: NOON + 3_600_000, total: 340, alerts });
    expect(text).toBe('340 more alerts for Bo');
    expect(blocks[1]).toMatchObject({
      text: { text: expect.stringMatching(/^• a0 crossed hot\. score 64\.25 → 72\.5\n• a1 /) },
    });
    expect(blocks[2]).toMatchObject({
      elements: [{ text: 'Beyond the hourly budget, 2026-11-22 12:00 UTC to 2026-11-22 13:00 UTC, and 330 more' }],
    });
  });
});

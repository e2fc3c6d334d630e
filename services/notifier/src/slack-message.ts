import type { Alert } from '@touchstone/engine';
import { LINK_ACTIONS, type LinkAction } from './alert-link.ts';
import { type DecisionChange, decisionText } from './decision-change.ts';
import type { Digest, DigestAlert } from './digest.ts';
import { markdownText, plainText } from './slack-text.ts';
import type { BodyOptions } from './webhook-body.ts';

/**
 * An alert as a rep reads it in Slack: Block Kit by incoming webhook. Buttons only open links, since an incoming webhook hears no clicks; what
 * they say is done by the page behind. Nothing leads to the API, which would answer a rep, who has no key, with 401: the message says why itself.
 * Every text is cut well below Slack's limits, which it enforces by refusing the whole message.
 */

export const SLACK_LIMITS = {
  blocks: 50,
  header: 150,
  sectionText: 3000,
  fields: 10,
  field: 2000,
  contextElements: 10,
  actionElements: 25,
  buttonText: 75,
  url: 3000,
  id: 255,
  /** Of all texts together; not documented, seen by others at some 13,200. */
  total: 12_000,
} as const;

interface PlainText {
  readonly type: 'plain_text';
  readonly text: string;
  readonly emoji: false;
}
interface Markdown {
  readonly type: 'mrkdwn';
  readonly text: string;
  /** Names that look like addresses or channels become no links. */
  readonly verbatim: true;
}
interface Button {
  readonly type: 'button';
  readonly action_id: string;
  readonly text: PlainText;
  readonly url: string;
}
export type SlackBlock =
  | { readonly type: 'header'; readonly text: PlainText }
  | { readonly type: 'section'; readonly text?: Markdown; readonly fields?: readonly Markdown[] }
  | { readonly type: 'context'; readonly elements: readonly Markdown[] }
  | { readonly type: 'actions'; readonly elements: readonly Button[] };

export interface SlackMessage {
  /** What notifications show, and clients that know no blocks. */
  readonly text: string;
  readonly blocks: readonly SlackBlock[];
}

const LINK_LABELS = { ack: 'Ack', snooze: 'Snooze 7 d', 'not-useful': 'Not useful' } as const satisfies Record<LinkAction, string>;
const NAME_MAX = 60;
const VALUE_MAX = 200;
const FALLBACK_MAX = 400;
const REASONS_MAX = 3;
const ROLES_MAX = 6;
/** Lines of a digest: more is not read. */
const DIGEST_LINES_MAX = 10;

/** @param links by which its reader says something of the alert; null for none */
export function slackAlert(alert: Alert, { isTest }: BodyOptions, links: Readonly<Record<LinkAction, string>> | null = null): SlackMessage {
  const title = `${isTest ? 'Test: ' : ''}${titleOf(alert)}`;
  const figures = [
    ...valueField(alert),
    ...stageField(alert),
    field('Reach', reachOf(alert)),
    ...(alert.missingRoles.length > 0 ? [field('Missing roles', namesOf(alert.missingRoles))] : []),
    ...(alert.met.length > 0 ? [field('Met', namesOf(alert.met.map(hurdleText)))] : []),
    ...(alert.missing.length > 0 ? [field('Not met', namesOf(alert.missing.map(hurdleText)))] : []),
    field('Owner', name(alert.owner ?? 'nobody')),
  ];
  const why = whyOf(alert);
  return {
    text: markdownText(`${title}. ${summaryOf(alert)}`, FALLBACK_MAX),
    blocks: [
      header(title),
      { type: 'section', fields: figures },
      ...(why === '' ? [] : [{ type: 'section' as const, text: markdown(why) }]),
      { type: 'context', elements: [markdown(contextOf(alert))] },
      ...buttons(LINK_ACTIONS.flatMap((action): ButtonSpec[] => (links === null ? [] : [[action, LINK_LABELS[action], links[action]]]))),
    ],
  };
}

export function slackDigest({ alerts, from, owner, to, total }: Digest): SlackMessage {
  const title = `${total} more ${total === 1 ? 'alert' : 'alerts'} for ${plainText(owner ?? 'accounts without an owner', NAME_MAX)}`;
  const shown = alerts.slice(0, DIGEST_LINES_MAX);
  const lines = shown.map((alert) => `• ${digestLine(alert)}`);
  const rest = total - shown.length;
  const more = rest > 0 ? `, and ${rest} more` : '';
  return {
    text: markdownText(title, FALLBACK_MAX),
    blocks: [
      header(title),
      ...(lines.length > 0 ? [{ type: 'section' as const, text: markdown(lines.join('\n')) }] : []),
      { type: 'context', elements: [markdown(`Beyond the hourly budget, ${dateText(from)} to ${dateText(to)}${more}`)] },
    ],
  };
}

/** What an experiment decided. */
export function slackDecision(change: DecisionChange): SlackMessage {
  const title = plainText(decisionText(change), SLACK_LIMITS.header);
  const creatives = change.arms.map(({ creativeId, isOut }) => `${name(creativeId)}${isOut ? ' (out)' : ''}`).join(', ');
  const fields = [field('Campaign', name(change.campaignId)), field('Creatives', creatives), field('Mode', name(change.mode))];
  return {
    text: markdownText(title, FALLBACK_MAX),
    blocks: [
      header(title),
      { type: 'section', fields },
      ...(change.reason === null ? [] : [{ type: 'section' as const, text: markdown(markdownText(change.reason, VALUE_MAX)) }]),
      { type: 'context', elements: [markdown(`${dateText(change.at)} · revision ${change.revision}`)] },
    ],
  };
}

function digestLine(alert: DigestAlert): string {
  return markdownText(`${titleOf(alert)}. ${summaryOf(alert)}`, VALUE_MAX);
}

type Titled = Pick<Alert, 'type' | 'direction' | 'accountId' | 'ruleId' | 'currentStage' | 'threshold'>;

function titleOf({ accountId, currentStage, direction, ruleId, threshold, type }: Titled): string {
  const account = plainText(accountId, NAME_MAX);
  const rule = plainText(ruleId, NAME_MAX);
  switch (type) {
    case 'account.threshold.crossed':
      return `${account} crossed ${rule}`;
    case 'account.threshold.recovered':
      return threshold === null ? `${account} is no longer watched by ${rule}` : `${account} fell below ${rule}`;
    case 'account.mqa.entered':
      return `${account} is a qualified account`;
    case 'account.mqa.exited':
      return `${account} is no qualified account any more`;
    case 'account.stage.changed':
      if (currentStage === null) return `${account} is in no stage any more`;
      return `${account} ${direction === 'up' ? 'moved on' : 'fell back'} to ${plainText(currentStage, NAME_MAX)}`;
    case 'account.surge.detected':
      return direction === 'up' ? `${account} does far more than usual` : `${account} does as much as usual again`;
    case 'account.coverage.changed':
      return `${account}: ${rule} ${direction === 'up' ? 'began' : 'is over'}`;
  }
}

type Valued = Pick<Alert, 'metric' | 'previousValue' | 'currentValue'>;

function summaryOf({ currentValue, metric, previousValue }: Valued): string {
  if (currentValue === null) return '';
  return `${plainText(metric ?? 'value', NAME_MAX)} ${changeText(previousValue, currentValue)}`;
}

function valueField({ currentValue, metric, previousValue, threshold }: Alert): Markdown[] {
  if (currentValue === null) return [];
  const limit = threshold === null ? '' : ` (threshold ${numberText(threshold)})`;
  return [field(metric ?? 'Value', changeText(previousValue, currentValue) + limit)];
}

function stageField({ currentStage, previousStage }: Alert): Markdown[] {
  if (currentStage === null && previousStage === null) return [];
  return [field('Stage', `${name(previousStage ?? 'none')} → ${name(currentStage ?? 'none')}`)];
}

function reachOf({ coverage, engagedContacts }: Alert): string {
  const contacts = `${engagedContacts} ${engagedContacts === 1 ? 'contact' : 'contacts'}`;
  return coverage === null ? contacts : `${contacts}, ${Math.round(coverage * 100)} % of the wanted roles`;
}

function whyOf({ reasons, touch }: Alert): string {
  const lines = reasons
    .slice(0, REASONS_MAX)
    .map(
      ({ contactId, points, role }) => `• ${contact(contactId)}${role === null ? '' : ` (${name(role)})`}: ${numberText(points)} points`,
    );
  if (touch !== null) {
    const campaign = touch.campaignId === null ? '' : `, campaign ${name(touch.campaignId)}`;
    lines.unshift(`${name(touch.kind)} by ${contact(touch.contactId)}, ${dateText(touch.occurredAt)}${campaign}`);
  }
  return lines.length === 0 ? '' : `*Why*\n${lines.join('\n')}`;
}

function contextOf({ at, cause, heldBack, late, modelVersion, version }: Alert): string {
  return [
    dateText(at),
    `cause: ${name(cause)}${late ? ', late' : ''}`,
    `model ${name(modelVersion)}`,
    `revision ${version}`,
    ...(heldBack > 0 ? [`${heldBack} held back before`] : []),
  ].join(' · ');
}

/** What decides a qualification besides its criteria has the name of its field in the model. */
const HURDLES: ReadonlyMap<string, string> = new Map([
  ['actNow', 'a touch to act on'],
  ['minContacts', 'enough engaged contacts'],
  ['filter', 'the filter of ideal customers'],
  ['exclude', 'not being excluded'],
]);

function hurdleText(id: string): string {
  return HURDLES.get(id) ?? id;
}

type ButtonSpec = readonly [id: string, label: string, url: string];

function buttons(specs: readonly ButtonSpec[]): SlackBlock[] {
  const elements = specs
    // A URL that is cut leads elsewhere: better none.
    .filter(([, , url]) => url.length <= SLACK_LIMITS.url)
    .map(([id, label, url]): Button => ({ type: 'button', action_id: id, text: plain(label, SLACK_LIMITS.buttonText), url }));
  return elements.length === 0 ? [] : [{ type: 'actions', elements }];
}

function header(text: string): SlackBlock {
  return { type: 'header', text: plain(text, SLACK_LIMITS.header) };
}

function plain(text: string, most: number): PlainText {
  return { type: 'plain_text', text: plainText(text, most), emoji: false };
}

/** Of parts that are escaped and cut already. */
function markdown(text: string): Markdown {
  return { type: 'mrkdwn', text, verbatim: true };
}

function field(label: string, value: string): Markdown {
  return markdown(`*${name(label)}*\n${value}`);
}

function name(text: string): string {
  return markdownText(text, NAME_MAX);
}

function namesOf(names: readonly string[]): string {
  const rest = names.length > ROLES_MAX ? ` and ${names.length - ROLES_MAX} more` : '';
  return names.slice(0, ROLES_MAX).map(name).join(', ') + rest;
}

function contact(id: string | null): string {
  return id === null ? 'somebody unknown' : name(id);
}

function changeText(previous: number | null, current: number): string {
  return previous === null ? numberText(current) : `${numberText(previous)} → ${numberText(current)}`;
}

function numberText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? String(value) : String(Number(value.toPrecision(4)));
}

function dateText(time: number): string {
  const text = new Date(time).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;
}

import { jsonRows } from '../json-rows.ts';
import type { RowTransport } from '../row-transport.ts';
import { LEADS, OPPORTUNITIES } from './dated-facts.ts';
import { LISTED, listedOpportunity, type ListedOpportunity, type ListedRow } from './listed-opportunity.ts';
import { BoundValues, isOfKinds, type TouchScope } from './opportunity-scope.ts';

/** More than anybody reads; an opportunity with more says so. */
const TOUCHES_MAX = 10_000;

export interface PathQuery extends TouchScope {
  readonly id: string;
  /** Epoch ms: what cuts off the touches of an opportunity that is not closed. */
  readonly now: number;
}

export interface PathTouch {
  readonly id: string;
  /** Epoch ms. */
  readonly occurredAt: number;
  readonly contactId: string | null;
  /** Of the contact, now. */
  readonly role: string | null;
  readonly kind: string;
  readonly channel: string | null;
  readonly campaignId: string | null;
  readonly creativeId: string | null;
}

export interface OpportunityTouches {
  readonly opportunity: ListedOpportunity;
  /** The account's first lead in the time that touches are of, epoch ms; null where there is none. */
  readonly leadCreatedAt: number | null;
  /** In the order they happened. */
  readonly touches: readonly PathTouch[];
  /** There are more; credits can not be told then. */
  readonly isCutOff: boolean;
}

/** The touches that have a part in one opportunity. */
export async function readOpportunityTouches(transport: RowTransport, query: PathQuery): Promise<OpportunityTouches | null> {
  const [row] = await readOpportunity(transport, query.id);
  if (row === undefined) return null;
  const opportunity = listedOpportunity(row);
  const cutAt = query.cut === 'created' ? opportunity.createdAt : (opportunity.closedAt ?? query.now);
  const startAt = Math.max(0, cutAt - query.lookbackMs);
  const bound = new BoundValues();
  const [account, start, cut] = [bound.text(opportunity.accountId), bound.instant(startAt), bound.instant(cutAt)];
  const answer = await transport.read(
    `SELECT touch.id AS id, toUnixTimestamp64Milli(occurred_at) AS occurredAt, contact_id AS contactId, contact.role AS role, kind, channel,
       campaign_id AS campaignId, creative_id AS creativeId
     FROM
       (SELECT * FROM touches
        WHERE account_id = ${account} AND occurred_at >= ${start} AND occurred_at < ${cut} AND ${isOfKinds(query.kinds, bound)}
        ORDER BY occurred_at, partition, offset LIMIT 1 BY occurred_at, partition, offset LIMIT ${TOUCHES_MAX + 1}) AS touch
     LEFT ANY JOIN (SELECT id, role FROM contacts FINAL) AS contact ON touch.contact_id = contact.id
     ORDER BY occurred_at, partition, offset FORMAT JSONEachRow`,
    bound.params,
    { mayLag: true },
  );
  const leads = await transport.read(
    `SELECT toUnixTimestamp64Milli(min(created_at)) AS at, count() AS leads FROM ${LEADS}
     WHERE account_id = ${account} AND created_at >= ${start} AND created_at < ${cut} FORMAT JSONEachRow`,
    bound.params,
    { mayLag: true },
  );
  const [lead] = jsonRows<{ at: number | string; leads: number | string }>(leads);
  const touches = jsonRows<TouchRow>(answer).map(touchOf);
  return {
    opportunity,
    leadCreatedAt: lead === undefined || Number(lead.leads) === 0 ? null : Number(lead.at),
    touches: touches.slice(0, TOUCHES_MAX),
    isCutOff: touches.length > TOUCHES_MAX,
  };
}

async function readOpportunity(transport: RowTransport, id: string): Promise<ListedRow[]> {
  const answer = await transport.read(
    `SELECT ${LISTED} FROM
       (SELECT *, account_id AS accountId, toUnixTimestamp64Milli(created_at) AS createdAt, toUnixTimestamp64Milli(closed_at) AS closedAt, createdAt AS at
        FROM ${OPPORTUNITIES} WHERE id = {id:String})
     FORMAT JSONEachRow`,
    { id },
    { mayLag: true },
  );
  return jsonRows<ListedRow>(answer);
}

interface TouchRow {
  readonly id: string;
  readonly occurredAt: number | string;
  readonly contactId: string;
  readonly role: string;
  readonly kind: string;
  readonly channel: string;
  readonly campaignId: string;
  readonly creativeId: string;
}

function touchOf({ campaignId, channel, contactId, creativeId, id, kind, occurredAt, role }: TouchRow): PathTouch {
  return {
    id,
    occurredAt: Number(occurredAt),
    contactId: contactId || null,
    role: role || null,
    kind,
    channel: channel || null,
    campaignId: campaignId || null,
    creativeId: creativeId || null,
  };
}

import { randomBytes } from 'node:crypto';
import { accountFilterSchema, ALERT_TYPES, compileFilter, type AccountFact, type Alert } from '@touchstone/engine';
import type { EndpointRow } from '@touchstone/store';
import { z } from 'zod';
import { DECISION_CHANGED } from './decision-change.ts';

/** What an endpoint wants to hear of. */

const MESSAGE_TYPES = [...ALERT_TYPES, DECISION_CHANGED] as const;

const idText = z.string().min(1).max(128);

export const filterSchema = z
  .strictObject({
    types: z.array(z.enum(MESSAGE_TYPES)).min(1).max(MESSAGE_TYPES.length).optional(),
    ruleIds: z.array(idText).min(1).max(200).optional().describe('Of thresholds and watches; qualification, stages, surge'),
    owners: z.array(idText).min(1).max(1000).optional().describe('Owners of accounts'),
    directions: z
      .array(z.enum(['up', 'down']))
      .min(1)
      .max(2)
      .optional(),
    account: accountFilterSchema
      .optional()
      .describe(
        'Tier, industry, target list and attributes, as the CRM says of the account: as in rules. What it said within the last second or so may be missed',
      ),
    minValue: z.number().optional().describe('Only alerts whose current value is at least this; those without a value are left out'),
  })
  .describe('All that are given must hold; an empty filter lets everything through')
  .meta({ id: 'EndpointFilter' });

export type EndpointFilter = z.output<typeof filterSchema>;

export type Endpoint = Omit<EndpointRow, 'filter'> & { readonly filter: EndpointFilter };

/** As far as the alert itself tells: see also `wantsAccount`. */
export function wants({ directions, minValue, owners, ruleIds, types }: EndpointFilter, alert: Alert): boolean {
  return (
    (types?.includes(alert.type) ?? true) &&
    (ruleIds?.includes(alert.ruleId) ?? true) &&
    (owners === undefined || (alert.owner !== null && owners.includes(alert.owner))) &&
    (directions?.includes(alert.direction) ?? true) &&
    (minValue === undefined || (alert.currentValue !== null && alert.currentValue >= minValue))
  );
}

/** Whether it wants accounts that the CRM says this of. */
export function wantsAccount({ account }: EndpointFilter, fact: AccountFact | undefined): boolean {
  return compileFilter(account)?.(fact) ?? true;
}

/** What experiments decide has no rule, owner, account, direction or value. */
export function wantsDecisions({ account, directions, minValue, owners, ruleIds, types }: EndpointFilter): boolean {
  const asksForMore =
    ruleIds !== undefined || account !== undefined || owners !== undefined || directions !== undefined || minValue !== undefined;
  return !asksForMore && (types?.includes(DECISION_CHANGED) ?? true);
}

export function createEndpointId(): string {
  return `ep_${randomBytes(8).toString('hex')}`;
}

/** @throws ZodError, SyntaxError for a filter that this version can not read */
export function endpointOf(row: EndpointRow): Endpoint {
  return { ...row, filter: filterSchema.parse(JSON.parse(row.filter)) };
}

export function rowOf(endpoint: Endpoint): EndpointRow {
  return { ...endpoint, filter: JSON.stringify(endpoint.filter) };
}

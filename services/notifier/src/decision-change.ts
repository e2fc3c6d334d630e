import type { BodyOptions } from './webhook-body.ts';
import { timeText } from './webhook-body.ts';

/** Type of the event: an experiment decided otherwise what accounts are shown. */
export const DECISION_CHANGED = 'experiment.decision.changed';

export interface DecisionChange {
  /** The same however often it is read. */
  readonly id: string;
  /** When the log took the step, epoch ms. */
  readonly at: number;
  readonly experimentId: string;
  readonly campaignId: string;
  readonly flagKey: string;
  readonly mode: string;
  readonly status: string;
  readonly revision: number;
  readonly action: 'start' | 'stop' | 'swap' | 'undo' | 'weights';
  /** Id of the API key, or auto. */
  readonly by: string;
  /** Of swap and undo. */
  readonly creativeId: string | null;
  readonly reason: string | null;
  readonly arms: readonly { readonly creativeId: string; readonly weight: number; readonly isOut: boolean }[];
}

/** What a webhook receives. The evidence is where `historyUrl` says: it may be larger than a message. */
export function decisionBody({ at, id: _id, ...change }: DecisionChange, { publicUrl }: BodyOptions): string {
  const historyUrl = `${publicUrl}/v1/experiments/${encodeURIComponent(change.experimentId)}/history`;
  return JSON.stringify({ type: DECISION_CHANGED, timestamp: timeText(at), data: { ...change, historyUrl } });
}

/** The same in one line, for people. */
export function decisionText({ action, by, creativeId, experimentId }: DecisionChange): string {
  const who = by === 'auto' ? 'by its evidence' : `by ${by}`;
  switch (action) {
    case 'start':
      return `Experiment ${experimentId} was started ${who}`;
    case 'stop':
      return `Experiment ${experimentId} was stopped ${who}`;
    case 'swap':
      return `${creativeId} was swapped out of experiment ${experimentId} ${who}`;
    case 'undo':
      return `${creativeId} was brought back into experiment ${experimentId} ${who}`;
    case 'weights':
      return `The weights of experiment ${experimentId} were moved ${who}`;
  }
}

import type { Alert } from '@touchstone/engine';

/** Which of several alerts somebody should see first, when not all of them can be shown. */

type Ranked = Pick<Alert, 'type' | 'direction' | 'currentValue' | 'at' | 'id'>;

/** The first comes first. What went down can wait: nobody acts on it today. */
const CLASSES: readonly ((alert: Ranked) => boolean)[] = [
  ({ type }) => type === 'account.mqa.entered',
  ({ type }) => type === 'account.threshold.crossed',
  ({ direction, type }) => type === 'account.stage.changed' && direction === 'up',
  ({ direction, type }) => type === 'account.surge.detected' && direction === 'up',
  ({ direction }) => direction === 'up',
];

function classOf(alert: Ranked): number {
  const index = CLASSES.findIndex((holds) => holds(alert));
  return index < 0 ? CLASSES.length : index;
}

/** By class, then by value, the highest first, then the latest; ids decide the rest, so that the order is the same everywhere. */
export function compareAlerts(one: Ranked, other: Ranked): number {
  const valueOf = ({ currentValue }: Ranked): number => currentValue ?? -Infinity;
  const [a, b] = [valueOf(one), valueOf(other)];
  return classOf(one) - classOf(other) || (a === b ? 0 : b > a ? 1 : -1) || other.at - one.at || (one.id < other.id ? -1 : 1);
}

import type { WindowSpec } from './time-slots.ts';

/** What a window says of an account. `minutes` are minutes; everything else is a count. */
export interface WindowFigures {
  touches: number;
  minutes: number;
  byKind: Record<string, number>;
  /** Distinct contacts with a touch in the window. */
  contacts: number;
  /** Contacts whose first touch ever is in the window. */
  newContacts: number;
}

export interface WindowView extends WindowFigures {
  /** The same of the equally long window before. */
  previous: WindowFigures;
}

export type WindowViews = Record<WindowSpec['name'], WindowView>;

/** Counts by a name that users choose: without a prototype, `constructor` and `__proto__` are names like any other. */
export function countsByName(): Record<string, number> {
  return Object.create(null) as Record<string, number>;
}

function noFigures(): WindowFigures {
  return { touches: 0, minutes: 0, byKind: countsByName(), contacts: 0, newContacts: 0 };
}

export function noWindows(): WindowViews {
  const view = (): WindowView => ({ ...noFigures(), previous: noFigures() });
  return { '24h': view(), '7d': view(), '30d': view(), '90d': view() };
}

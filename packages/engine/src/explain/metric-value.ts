import type { AccountView } from '../view.ts';

/** The value of a metric (see `metricSchema`) in what is served of an account. */
export function metricValue({ points, reach, score, windows }: AccountView, metric: string): number {
  const [figure, ...rest] = metric.split('.');
  switch (figure) {
    case 'score':
      return score;
    case 'points':
      return points;
    case 'reach':
      return reach.contacts;
    case 'coverage':
      return reach.roles.wanted.length === 0 ? 0 : reach.roles.covered.length / reach.roles.wanted.length;
    default: {
      const window = windows[rest.at(-1) as keyof typeof windows];
      if (figure === 'kind') return Object.hasOwn(window.byKind, rest[0]!) ? window.byKind[rest[0]!]! : 0;
      return window[figure as 'touches' | 'minutes' | 'contacts' | 'newContacts'];
    }
  }
}

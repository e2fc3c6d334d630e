/** Sums over the accounts that had an impression or a click, each one observation: what a ratio's variance is computed from. */
export interface ClickMoments {
  accounts: number;
  impressionsSquared: number;
  clicksSquared: number;
  impressionsByClicks: number;
}

/** Sums over accounts of products of one creative's clicks or impressions with another's: not 0 only where accounts saw both. */
export interface CrossMoments {
  clicksByClicks: number;
  clicksByImpressions: number;
  impressionsByClicks: number;
  impressionsByImpressions: number;
}

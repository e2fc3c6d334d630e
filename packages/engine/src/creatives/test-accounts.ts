/** An account of a test. */
export type Account = readonly [impressions: number, clicks: number];

/** What is counted of the accounts of a creative, as intervals of its click rate take it. */
export function counted(accounts: readonly Account[]) {
  const sum = (of: (account: Account) => number): number => accounts.reduce((total, account) => total + of(account), 0);
  return {
    impressions: sum(([impressions]) => impressions),
    clicks: sum(([, clicks]) => clicks),
    clicksByAccount: {
      accounts: accounts.length,
      impressionsSquared: sum(([impressions]) => impressions ** 2),
      clicksSquared: sum(([, clicks]) => clicks ** 2),
      impressionsByClicks: sum(([impressions, clicks]) => impressions * clicks),
    },
  };
}

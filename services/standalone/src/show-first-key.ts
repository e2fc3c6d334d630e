/**
 * Shows the first admin key, once: only its hash is kept. It goes to standard error as plain text, since a log collector would keep it; what
 * people need next stands beside it.
 */
export function showFirstKey(key: string, address: string): void {
  process.stderr.write(
    [
      '',
      '  This is the admin key. It is shown this once; only its hash is kept.',
      '',
      `    export TOUCHSTONE_KEY=${key}`,
      `    export TOUCHSTONE_URL=${address}`,
      '',
      '  With these set, `npx pnpm@12 touchstone --help` shows what to do next.',
      '',
      '',
    ].join('\n'),
  );
}

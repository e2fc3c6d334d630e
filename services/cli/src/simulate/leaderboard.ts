import { styleText } from 'node:util';
import { figureOf, textOf } from '../answers.ts';
import { formatTable } from '../terminal/table.ts';

const BAR_CELLS = 20;

/** The best accounts as a table, with the change since the former one. Keeps the scores it has shown last. */
export function createLeaderboard(): (accounts: readonly Record<string, unknown>[]) => string[] {
  let former = new Map<string, number>();

  return function drawLeaderboard(accounts) {
    const scores = new Map<string, number>();
    const rows = accounts.map((account, at) => {
      const id = textOf(account['accountId']);
      const score = typeof account['score'] === 'number' ? account['score'] : 0;
      scores.set(id, score);
      return [String(at + 1), id, textOf(account['name']), figureOf(score), changeOf(score - (former.get(id) ?? score)), barOf(score)];
    });
    former = scores;
    const right = 'right' as const;
    return formatTable(
      [
        { title: '#', align: right },
        { title: 'account' },
        { title: 'name' },
        { title: 'score', align: right },
        { title: 'change', align: right },
        { title: '' },
      ],
      rows,
    );
  };
}

function changeOf(change: number): string {
  if (Math.abs(change) < 0.05) return '';
  return change > 0 ? `+${figureOf(change)}` : figureOf(change);
}

function barOf(score: number): string {
  return '━'.repeat(Math.round((Math.max(0, Math.min(100, score)) / 100) * BAR_CELLS));
}

export function dim(text: string): string {
  return styleText('dim', text, { stream: process.stdout });
}

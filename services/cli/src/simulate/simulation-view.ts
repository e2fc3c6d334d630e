import { formatCount, formatFigure } from '../terminal/format.ts';
import { createLiveArea } from '../terminal/live-area.ts';
import { textOf, figureOf } from '../answers.ts';
import { createLeaderboard, dim } from './leaderboard.ts';
import type { SimulationFigures, SimulationView, TopAccounts } from './run-simulation.ts';
import type { TrafficNews } from './traffic.ts';

const NEWS_SHOWN = 6;
const PLAIN_LINE_MS = 5_000;

/** A leaderboard that is drawn again every second on a terminal; on anything else a line of figures every few seconds, and the news. */
export function createSimulationView(stream: NodeJS.WriteStream): SimulationView {
  const area = createLiveArea(stream);
  const leaderboard = createLeaderboard();
  let recent: string[] = [];
  let toldAt = performance.now();

  function update(figures: SimulationFigures, top: TopAccounts): void {
    const line = describeFigures(figures);
    if (area.isDrawn) {
      area.draw([line, '', ...(top === null ? [] : [...leaderboard(top), '']), ...recent.map(dim)]);
    } else if (performance.now() - toldAt >= PLAIN_LINE_MS) {
      toldAt = performance.now();
      const best = (top ?? []).slice(0, 3).map((account) => `${textOf(account['accountId'])} ${figureOf(account['score'])}`);
      stream.write(`${line}${best.length > 0 ? `; top: ${best.join(', ')}` : ''}\n`);
    }
  }

  function news(items: readonly TrafficNews[]): void {
    for (const { company, text } of items) {
      const line = `${company.id}: ${text}`;
      recent = [...recent, line].slice(-NEWS_SHOWN);
      // At high rates forms are filled in all the time; only accounts that begin to heat are worth a line for good.
      if (!area.isDrawn && text === 'is heating up') stream.write(`${line}\n`);
    }
  }

  return { tell: area.print, news, update, end: area.clear };
}

export function describeFigures({ sent, accepted, rejected, seconds }: SimulationFigures): string {
  const rate = sent / Math.max(seconds, 0.001);
  return `sent ${formatCount(sent)} touches in ${formatFigure(seconds)} s (${formatFigure(rate)}/s), accepted ${formatCount(accepted)}, rejected ${formatCount(rejected)}`;
}

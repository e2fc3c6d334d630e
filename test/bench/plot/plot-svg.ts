import { numberText } from '../figures.ts';
import { fitLine } from './linear-fit.ts';
import type { Plot, PlotPoint } from './plot.ts';

/**
 * A plot as an SVG of its own, without a background: its greys and colours have enough contrast on white as well as on near black, because what
 * shows the page may not say which of the two it uses.
 */
export const FRAME = { width: 640, height: 360, left: 72, right: 16, top: 36, bottom: 52 } as const;

const GREY = '#767676';
const COLOURS = ['#3b82d6', '#c9680f', '#2f9e60', '#a855c8'];
const TICKS = 5;
const FONT = 'font-family="system-ui, sans-serif" font-size="12"';

/** From 0 in steps of 1, 2 or 5 times a power of ten to the first that is not below `most`. */
export function ticksUpTo(most: number): number[] {
  const rough = most / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough * 0.999)!;
  const count = Math.ceil(most / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, at) => at * step);
}

export function plotSvg({ title, x, y, series }: Plot): string {
  const points = series.flatMap((one) => one.points);
  if (points.length === 0) throw new Error(`the plot ${title} has no points`);
  const xTicks = ticksUpTo(Math.max(...points.map((point) => point.x)));
  const yTicks = ticksUpTo(Math.max(...points.map(({ high }) => high)));
  const { width, height, left, right, top, bottom } = FRAME;
  const atX = (value: number): string => (left + (value / xTicks.at(-1)!) * (width - left - right)).toFixed(1);
  const atY = (value: number): string => (height - bottom - (value / yTicks.at(-1)!) * (height - top - bottom)).toFixed(1);

  const grid = [
    ...yTicks.flatMap((tick) => [
      `<line x1="${left}" x2="${width - right}" y1="${atY(tick)}" y2="${atY(tick)}" stroke="${GREY}" stroke-opacity="0.3"/>`,
      text(left - 8, Number(atY(tick)) + 4, shortNumber(tick), 'end'),
    ]),
    ...xTicks.map((tick) => text(Number(atX(tick)), height - bottom + 18, shortNumber(tick), 'middle')),
    text((left + width - right) / 2, height - 14, `${x.label} (${x.unit})`, 'middle'),
    text(left, top - 12, `${y.label} (${y.unit})`, 'start'),
  ];
  const curves = series.flatMap(({ label, points: own }, index) => {
    const colour = COLOURS[index % COLOURS.length]!;
    return [
      ...lineThrough(own, colour, atX, atY),
      ...own.map(
        (one) =>
          `<line x1="${atX(one.x)}" x2="${atX(one.x)}" y1="${atY(one.low)}" y2="${atY(one.high)}" stroke="${colour}" stroke-width="2"/>`,
      ),
      ...own.map((one) => `<circle cx="${atX(one.x)}" cy="${atY(one.y)}" r="4" fill="${colour}"/>`),
      text(left + 12, top + 14 + index * 18, label, 'start', colour),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeText(title)}</title>`,
    ...grid,
    ...curves,
    '</svg>',
    '',
  ].join('\n');
}

/** The straight line that fits best, dashed: what the points are to be compared with. */
function lineThrough(
  points: readonly PlotPoint[],
  colour: string,
  atX: (value: number) => string,
  atY: (value: number) => string,
): string[] {
  if (points.length < 2) return [];
  const { intercept, slope } = fitLine(points);
  const last = points.at(-1)!.x;
  const first = intercept >= 0 ? 0 : -intercept / slope;
  return [
    `<line x1="${atX(first)}" x2="${atX(last)}" y1="${atY(intercept + slope * first)}" y2="${atY(intercept + slope * last)}" stroke="${colour}" stroke-dasharray="5 4"/>`,
  ];
}

function text(x: number, y: number, content: string, anchor: string, colour: string = GREY): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="${colour}" ${FONT}>${escapeText(content)}</text>`;
}

function shortNumber(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toFixed(2))} M`;
  return value >= 10_000 ? `${Number((value / 1000).toFixed(1))} k` : String(Number(value.toPrecision(6)));
}

function escapeText(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** What a curve is, in words: once so much, and so much for each step; and how far from that the points lie. */
export function fitText({ x, y, series }: Plot): string {
  return series
    .filter(({ points }) => points.length > 1)
    .map(({ label, points }) => {
      const { intercept, slope, worst } = fitLine(points);
      const each = 10 ** Math.floor(Math.log10(points.at(-1)!.x));
      const first = `${numberText(intercept)} ${y.unit} + ${numberText(slope * each)} ${y.unit} for every ${shortNumber(each)} ${x.unit}`;
      return `${label}: ${first}, no point further than ${Math.round(worst * 100)} % from that`;
    })
    .join('; ');
}

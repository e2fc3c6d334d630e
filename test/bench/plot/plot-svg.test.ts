import { describe, expect, test } from 'vitest';
import type { Plot, PlotPoint } from './plot.ts';
import { FRAME, plotSvg, ticksUpTo } from './plot-svg.ts';

const point = (x: number, y: number): PlotPoint => ({ x, y, low: y * 0.9, high: y });
const PLOT: Plot = {
  name: 'growth',
  title: 'Time by length & "size" <all>',
  x: { label: 'touches', unit: 'millions' },
  y: { label: 'time', unit: 's' },
  series: [
    { label: 'ready', points: [point(1, 10), point(5, 50), point(10, 100)] },
    { label: 'stored', points: [point(1, 20)] },
  ],
};

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The elements of a document in which each is closed, in order, and attributes are quoted; throws otherwise. */
function parse(svg: string): Element[] {
  const elements: Element[] = [];
  const open: string[] = [];
  const rest = svg.replace(
    /<(\/?)([a-z]+)((?: [A-Za-z0-9:-]+="[^"<>&]*")*)(\/?)>/g,
    (_, end: string, name: string, list: string, self: string) => {
      if (end === '/') {
        if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
        return '';
      }
      const attributes = Object.fromEntries([...list.matchAll(/ ([^=]+)="([^"]*)"/g)].map(([, key, value]) => [key!, value!]));
      elements.push({ name, attributes });
      if (self === '') open.push(name);
      return '';
    },
  );
  if (open.length > 0) throw new Error(`<${open.at(-1)}> is not closed`);
  if (/[<>]|&(?!(amp|lt|gt|quot);)/.test(rest)) throw new Error(`not escaped: ${rest}`);
  return elements;
}

describe('a plot as SVG', () => {
  const svg = plotSvg(PLOT);
  const elements = parse(svg);

  test('is well formed, with its title escaped', () => {
    expect(elements[0]).toMatchObject({ name: 'svg', attributes: { xmlns: 'http://www.w3.org/2000/svg' } });
    expect(svg).toContain('<title>Time by length &amp; &quot;size&quot; &lt;all&gt;</title>');
  });

  test('has a point where its numbers say, by axes that begin at 0', () => {
    const { bottom, height, left, right, top, width } = FRAME;
    const x = (value: number): number => left + (value / 10) * (width - left - right);
    const y = (value: number): number => height - bottom - (value / 100) * (height - top - bottom);
    const places = elements.filter(({ name }) => name === 'circle').map(({ attributes: { cx, cy } }) => [Number(cx), Number(cy)]);
    const expected = [...PLOT.series[0]!.points, ...PLOT.series[1]!.points].map((one) => [x(one.x), y(one.y)]);
    expect(places).toHaveLength(4);
    for (const [at, place] of places.entries()) {
      expect(place[0]).toBeCloseTo(expected[at]![0]!, 0);
      expect(place[1]).toBeCloseTo(expected[at]![1]!, 0);
    }
  });

  test('draws a dashed line through points that lie on one, and none through a single point', () => {
    const dashed = elements.filter(({ attributes }) => attributes['stroke-dasharray'] !== undefined);
    expect(dashed).toHaveLength(1);
    const { left, height, bottom, top, right, width } = FRAME;
    const { x1, x2, y1, y2 } = dashed[0]!.attributes;
    expect([x1, y1, x2, y2].map(Number)).toEqual([left, height - bottom, width - right, top]);
  });

  test('says what its axes are, and keeps everything inside the frame', () => {
    expect(svg).toContain('>touches (millions)</text>');
    expect(svg).toContain('>time (s)</text>');
    for (const { attributes } of elements) {
      for (const name of ['x', 'x1', 'x2', 'cx']) if (name in attributes) expect(Number(attributes[name])).toBeLessThanOrEqual(FRAME.width);
      for (const name of ['y', 'y1', 'y2', 'cy'])
        if (name in attributes) expect(Number(attributes[name])).toBeLessThanOrEqual(FRAME.height);
    }
  });

  test('is refused without points', () => expect(() => plotSvg({ ...PLOT, series: [] })).toThrow('no points'));

  /** Relative luminance and contrast as WCAG 2 defines them. */
  test('has colours that can be told from white and from near black', () => {
    const luminance = (colour: string): number => {
      const [r, g, b] = [1, 3, 5].map((at) => {
        const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
    };
    const contrast = (one: string, other: string): number => {
      const [dark, light] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
      return (light! + 0.05) / (dark! + 0.05);
    };
    const colours = new Set(
      elements.map(({ attributes }) => attributes['fill'] ?? attributes['stroke']).filter((one) => one?.startsWith('#')),
    );
    expect(colours.size).toBe(3);
    for (const colour of colours) for (const ground of ['#ffffff', '#0d1117']) expect(contrast(colour!, ground)).toBeGreaterThan(3);
  });
});

test.each([
  [10, [0, 2, 4, 6, 8, 10]],
  [93, [0, 20, 40, 60, 80, 100]],
  [0.31, [0, 0.1, 0.2, 0.30000000000000004, 0.4]],
  [1_200_000, [0, 500_000, 1_000_000, 1_500_000]],
])('an axis to %d has ticks %j', (most, ticks) => {
  expect(ticksUpTo(most)).toEqual(ticks.map((tick): unknown => expect.closeTo(tick, 6)));
});

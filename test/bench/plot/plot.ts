/** One place of a curve: the median of some runs, and what it varied between. */
export interface PlotPoint {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

export interface PlotSeries {
  readonly label: string;
  /** By ascending x. */
  readonly points: readonly PlotPoint[];
}

export interface Axis {
  readonly label: string;
  readonly unit: string;
}

/** How something grows with something else. Both axes begin at 0, so that what is in proportion looks so. */
export interface Plot {
  /** Of its file, without an ending. */
  readonly name: string;
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly PlotSeries[];
}

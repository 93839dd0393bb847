// Points to the series that a chart draws. A gap in the data must be a gap in
// the line: a line through it would claim values that nobody measured.

/** One stored value; t in RFC 3339. */
export interface ChartPoint {
  t: string;
  v: number;
}

/** The x (Unix s) and y of a line; null breaks it. */
export type Series = [number[], (number | null)[]];

const missed = 3; // intervals without a value that make a gap, as for "stale"

const enough = 3; // pauses that tell the channel's own interval

/**
 * gapAfter is the pause in seconds that counts as a gap: three of the intervals
 * that are usual in the data, and no fewer than three of the device's: a channel
 * may come less often than its device speaks.
 */
export function gapAfter(times: number[], expectS = 0): number {
  const steps: number[] = [];
  for (let i = 1; i < times.length; i++) steps.push(times[i]! - times[i - 1]!);
  if (expectS > 0 && steps.length < enough) return missed * expectS;
  if (steps.length === 0) return Infinity;
  steps.sort((a, b) => a - b);
  return missed * Math.max(1, expectS, steps[Math.floor(steps.length / 2)]!);
}

/** Orders points by time and breaks the line wherever the pause is a gap. */
export function series(points: ChartPoint[], expectS?: number): Series {
  const ordered = points.map((p) => ({ x: Date.parse(p.t) / 1000, y: p.v })).sort((a, b) => a.x - b.x);
  const pause = gapAfter(ordered.map((p) => p.x), expectS);
  const xs: number[] = [];
  const ys: (number | null)[] = [];
  for (const { x, y } of ordered) {
    const last = xs[xs.length - 1];
    if (last !== undefined && x - last > pause) {
      xs.push((last + x) / 2);
      ys.push(null);
    }
    xs.push(x);
    ys.push(y);
  }
  return [xs, ys];
}

/** What is usual in a step: its expected value and one standard deviation of it; t in RFC 3339. */
export interface UsualPoint {
  t: string;
  expected: number;
  band: number;
}

/** What is usual as a chart draws it: a line and the edges of its error band; x in Unix s; null breaks them. */
export interface UsualLine {
  xs: number[];
  expected: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
}

/** How many standard deviations the band that is drawn holds on each side. */
export const bandWidth = 2;

/** What is usual of a channel, by each rule once: its other values are means of the same over other times. */
export function usualsOf<U extends { channel: string; rule: string }>(all: U[], channel: string): U[] {
  const of = all.filter((u) => u.channel === channel);
  return of.filter((u, i) => of.findIndex((x) => x.rule === u.rule) === i);
}

export function usualLine(points: UsualPoint[]): UsualLine {
  const [xs, expected] = series(points.map((p) => ({ t: p.t, v: p.expected })));
  const width = new Map(points.map((p) => [Date.parse(p.t) / 1000, bandWidth * p.band]));
  const edge = (side: number): (number | null)[] => expected.map((y, i) => (y === null ? null : y + side * width.get(xs[i]!)!));
  return { xs, expected, low: edge(-1), high: edge(1) };
}

/** What a series says in a few figures; null when it is empty. */
export interface Digest {
  count: number;
  low: number;
  high: number;
  last: number;
  gaps: number;
}

export function digest([, ys]: Series): Digest | null {
  const values = ys.filter((y): y is number => y !== null);
  if (values.length === 0) return null;
  let low = values[0]!;
  let high = low;
  for (const v of values) {
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  return { count: values.length, low, high, last: values[values.length - 1]!, gaps: ys.length - values.length };
}

/** The room on the y axis: data, limits and what is usual with air, never flat. A switch is 0 to 1. */
export function room(found: Digest | null, limits: number[], isSwitch: boolean, usual: UsualLine | null = null): [number, number] {
  if (isSwitch) return [-0.15, 1.15];
  const band = usual ? [digest([usual.xs, usual.low]), digest([usual.xs, usual.high])] : [];
  const low = Math.min(found?.low ?? limits[0] ?? 0, ...limits, band[0]?.low ?? Infinity);
  const high = Math.max(found?.high ?? limits[0] ?? 1, ...limits, band[1]?.high ?? -Infinity);
  const air = (high - low) * 0.08 || Math.abs(high) * 0.1 || 1;
  return [low - air, high + air];
}

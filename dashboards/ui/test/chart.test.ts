import { describe, expect, it } from 'vitest';
import { digest, gapAfter, room, series, usualLine, usualsOf, type ChartPoint } from '../src/chart';

/** Points at these seconds after midnight; the value is the second. */
const at = (...seconds: number[]): ChartPoint[] => seconds.map((s) => ({ t: new Date(Date.UTC(2026, 10, 25) + s * 1000).toISOString(), v: s }));

describe('gaps', () => {
  it('break the line after three missed intervals of the census', () => {
    const [, ys] = series(at(0, 10, 20, 51, 61), 10);
    expect(ys).toEqual([0, 10, 20, null, 51, 61]);
    expect(series(at(0, 10, 20, 50, 60), 10)[1]).not.toContain(null); // exactly three is late, no gap
  });

  it('are judged by the usual interval where the census has none', () => {
    expect(series(at(0, 5, 10, 15, 60, 65))[1]).toEqual([0, 5, 10, 15, null, 60, 65]);
    expect(gapAfter([0, 5, 10])).toBe(15);
  });

  it('are those of the channel where it comes less often than its device speaks', () => {
    expect(series(at(0, 60, 120, 180, 240, 480), 5)[1]).toEqual([0, 60, 120, 180, 240, null, 480]);
  });

  it('need two points at least', () => {
    expect(gapAfter([])).toBe(Infinity);
    expect(series(at(7), 10)[1]).toEqual([7]);
    expect(series([], 10)).toEqual([[], []]);
  });

  it('lie between their neighbours, so that the axis stays ordered', () => {
    const [xs] = series(at(0, 100), 10);
    expect(xs[1]! - xs[0]!).toBe(50);
  });

  it('are found in points that come in any order', () => {
    expect(series(at(60, 0, 10), 10)[1]).toEqual([0, 10, null, 60]);
  });
});

describe('a series in figures', () => {
  it('leaves gaps out of the values and counts them', () => {
    expect(digest(series(at(5, 15, 100), 10))).toEqual({ count: 3, low: 5, high: 100, last: 100, gaps: 1 });
    expect(digest([[], []])).toBeNull();
  });
});

describe('the y axis', () => {
  const flat = { count: 2, low: 3, high: 3, last: 3, gaps: 0 };
  it('shows the limit, is never flat, and gives a switch its two levels', () => {
    expect(room(flat, [15], false)[1]).toBeGreaterThan(15);
    const [low, high] = room(flat, [], false);
    expect(low).toBeLessThan(3);
    expect(high).toBeGreaterThan(3);
    expect(room(flat, [], true)).toEqual([-0.15, 1.15]);
  });
});

describe('what is usual', () => {
  it('is told once for each rule', () => {
    const by = (rule: string, name: string, channel = 'displacement_mm') => ({ rule, name, channel });
    expect(usualsOf([by('bridge_drift', 'drift'), by('bridge_drift', 'sunk', 'settlement_mm'), by('bridge_drift', 'off'), by('bridge_deviates', 'beyond'), by('bridge_deviates', 'lately')], 'displacement_mm').map((u) => u.name)).toEqual(['drift', 'beyond']);
  });
  const step = (minute: number, expected: number, band: number) => ({ t: new Date(Date.UTC(2026, 10, 25, 0, minute)).toISOString(), expected, band });
  it('is a line in a band of two standard deviations, broken where nothing is told', () => {
    const line = usualLine([step(5, 10, 0.5), step(15, 11, 0.5), step(25, 12, 1), step(125, 9, 1)]);
    expect(line.expected).toEqual([10, 11, 12, null, 9]);
    expect(line.low).toEqual([9, 10, 10, null, 7]);
    expect(line.high).toEqual([11, 12, 14, null, 11]);
  });

  it('has room on the y axis', () => {
    const [low, high] = room({ count: 2, low: 10, high: 11, last: 10, gaps: 0 }, [], false, usualLine([step(5, 10, 2), step(15, 10, 2)]));
    expect(low).toBeLessThan(6);
    expect(high).toBeGreaterThan(14);
  });
});

// The lighting rates as they are asked for and shown: periods, levels of the grid,
// shares, and the lists of lamps behind the figures.
import type { Query, Rate } from './api';

/** A level of the API. */
export type Level = 'city' | 'district' | 'street' | 'community' | 'road' | 'cabinet';
export type PeriodKind = 'day' | 'month' | 'quarter';
export const periodKinds: PeriodKind[] = ['day', 'month', 'quarter'];
/** How many of each kind are shown one below the other. */
export const shownPeriods: Record<PeriodKind, number> = { day: 14, month: 12, quarter: 8 };

const ofDigits: Record<number, Level> = { 0: 'city', 4: 'city', 6: 'district', 9: 'street', 12: 'community' };

/** The level of an area by the digits of its code; the city is "". */
export function levelOf(code: string): Level {
  return ofDigits[code.length] ?? 'community';
}

/** The levels that an area can be taken apart into. */
export function levelsBelow(level: Level): Level[] {
  const grid: Level[] = ['city', 'district', 'street', 'community'];
  return [...grid.slice(grid.indexOf(level) + 1), 'road', 'cabinet'];
}

/** The codes from the district down to an area, itself included. */
export function trail(code: string): string[] {
  return [6, 9, 12].filter((digits) => code.length >= digits).map((digits) => code.slice(0, digits));
}

const two = (n: number): string => String(n).padStart(2, '0');

/** The period that a day (YYYY-MM-DD) lies in, as the API names it. */
export function periodOf(day: string, kind: PeriodKind): string {
  if (kind === 'day') return day;
  return kind === 'month' ? day.slice(0, 7) : `${day.slice(0, 4)}-Q${Math.ceil(Number(day.slice(5, 7)) / 3)}`;
}

/** The first and the last day of a period; null of what is none. */
export function daysOf(period: string): { from: string; to: string } | null {
  const [, year, quarter, month, day] = /^(\d{4})-(?:Q([1-4])|(\d\d)(?:-(\d\d))?)$/.exec(period) ?? [];
  if (year === undefined) return null;
  if (day) return { from: period, to: period };
  const first = quarter ? 3 * Number(quarter) - 2 : Number(month);
  const last = quarter ? first + 2 : first;
  return { from: `${year}-${two(first)}-01`, to: `${year}-${two(last)}-${two(new Date(Date.UTC(Number(year), last, 0)).getUTCDate())}` };
}

/** The first day of the oldest of n periods, of which the newest is that of day. */
export function firstDayOf(day: string, kind: PeriodKind, n: number): string {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  const at = kind === 'day' ? new Date(Date.UTC(year, month - 1, date - n + 1)) : kind === 'month' ? new Date(Date.UTC(year, month - n, 1)) : new Date(Date.UTC(year, 3 * (Math.ceil(month / 3) - n), 1));
  return at.toISOString().slice(0, 10);
}

/** What a share may miss for the rounding of floats alone, as the daemon has it. */
const hair = 1e-12;

/** 96.12%, cut and not rounded: 94.999 % is no 95 %. */
export function percent(share: number): string {
  return `${(Math.floor((share + hair) * 10_000) / 100).toFixed(2)}%`;
}

/** A target, with up to four digits; a mean is rounded up, so that no figure below it looks like it. */
export function goal(share: number): string {
  return `${Math.ceil((share - hair) * 1_000_000) / 10_000}%`;
}

/** Whether a figure reaches its target; none where there is nothing to judge. */
export function standingOf(rate: Rate): 'met' | 'low' | 'none' {
  if (rate.value === null) return 'none';
  return rate.low ? 'low' : 'met';
}

/** A count of lamp-nights, or hours of a rate that measures time. */
export function amount(n: number, unit: Rate['unit']): string {
  return unit === 'lamp_ms' ? (n / 3_600_000).toFixed(1) : String(n);
}

/** What asks for the lamps behind a figure; bucket "" is all of them. */
export function lampsQuery(rate: Rate, bucket: string): Record<string, string> {
  const query = { rate: rate.rate, version: rate.version, level: rate.level, place: rate.level === 'city' ? '' : rate.place || '-', from: rate.from, to: rate.to, bucket };
  return Object.fromEntries(Object.entries(query).filter(([, v]) => v !== ''));
}

/** The buckets that a figure's numerator and denominator are made of: where a definition puts what is unknown shows in the sums. */
export function bucketsOf(rate: Rate): { numerator: string; denominator: string } {
  return {
    numerator: rate.numerator === rate.intact ? 'intact' : 'intact,unknown',
    denominator: rate.denominator === rate.intact + rate.faulty ? 'intact,faulty' : 'intact,faulty,unknown',
  };
}

/** The worst first; what cannot be judged before all, for it hides anything. */
export function worstFirst(a: Rate, b: Rate): number {
  return (a.value ?? -1) - (b.value ?? -1) || (a.place < b.place ? -1 : 1);
}

/** The left end of a scale that ends at 100 %, as a share: tens, so that the worst case and the target lie on it. */
export function scaleFrom(rates: Rate[]): number {
  const least = Math.min(0.9, ...rates.flatMap((r) => [r.worst ?? 1, r.value ?? 1, r.target - 0.05]));
  return Math.max(0, Math.floor(least * 10 + 1e-9) / 10);
}

/** A query of the API without what is empty. */
export const asQuery = (query: Record<string, unknown>): Query => Object.fromEntries(['rate', 'version', 'level', 'area', 'place', 'from', 'to', 'bucket'].map((k) => [k, String(query[k] ?? '')]));

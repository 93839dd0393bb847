// How old is too old. The daemon marks a value as stale when it answers; the page
// goes on judging while it stands on a screen.
import type { Latest } from './api';

const missed = 3; // of a device's intervals, as the daemon counts
const leastAging = 60_000;
const leastOld = 5 * 60_000;

/**
 * Age of the newest data of the whole city that is worth a look, ms: the device
 * that reports most often has missed its turn. expectS is its interval in seconds,
 * 0 where the census says none.
 */
export function agingAfter(expectS: number): number {
  return Math.max(leastAging, expectS * 1000);
}

/** Age of the newest data of the whole city that is an alarm, ms. */
export function oldAfter(expectS: number): number {
  return Math.max(leastOld, missed * expectS * 1000);
}

const skew = 5 * 60_000; // by which the clock of a device may be ahead

/**
 * When the newest value was measured, ms, of a device that is silent by what it sent
 * although it was measured after it was last heard: it came late. Else null.
 */
export function belated(values: Latest[], seen: string | null): number | null {
  const newest = Math.max(...values.map((v) => (v.t ? Date.parse(v.t) : 0)));
  return seen && newest > Date.parse(seen) + skew ? newest : null;
}

const withoutInterval = 15 * 60_000;

const nextRead = 10_000; // until then the daemon itself has said more of the interval

/** Whether a value that was read as v is stale at now; both by the daemon's clock. */
export function isStale(v: Latest, now: number): boolean {
  if (v.stale || !v.t) return true;
  return now - Date.parse(v.t) > (v.interval_s ? missed * v.interval_s * 1000 + nextRead : withoutInterval);
}

// How old is too old. The daemon marks a value as stale when it answers; the page
// goes on judging while it stands on a screen.
import type { Latest } from './api';

/** Age of the newest data of the whole city that is worth a look, ms. */
export const agingAfter = 60_000;
/** Age of the newest data of the whole city that is an alarm, ms. */
export const oldAfter = 5 * 60_000;

const missed = 3; // of a device's intervals, as the daemon counts
const withoutInterval = 15 * 60_000;

/** Whether a value that was read as v is stale at now; both by the daemon's clock. */
export function isStale(v: Latest, now: number, expectS?: number): boolean {
  if (v.stale || !v.t) return true;
  return now - Date.parse(v.t) > (expectS ? missed * expectS * 1000 : withoutInterval);
}

// Limits as bounds of a channel: those of the census, else those that a ticket was
// judged by; which of them a value has passed.
import type { OwnLimit, Ticket } from './api';

/** What a channel may not rise above, or fall below. */
export interface Bound {
  at: number;
  below: boolean;
  /** 1 notice, 2 warning, 3 alarm; 0 where the channel has no tiers. */
  tier: number;
  /** A lower limit that no open ticket speaks of: a lamp that is off by day is no fault. */
  idle: boolean;
}

/** The names of the tiers, by number. */
export const tierNames = ['', 'notice', 'warning', 'alarm'];
/** Their tones; of a limit without tiers that of an alarm. */
export const tierTones = ['critical', 'minor', 'major', 'critical'] as const;

/** Opened by a value beneath its limit. */
const beneath = (x: Ticket): boolean => x.value !== null && x.limit !== null && x.value < x.limit;

function boundsOf(own: OwnLimit, idle: boolean): Bound[] {
  const bound = (at: number, below: boolean, asleep: boolean): Bound => ({ at, below, tier: own.tier, idle: asleep });
  if (own.way === 'both') return [bound(own.value, false, false), bound(-own.value, true, false)];
  return [bound(own.value, own.way === 'below', own.way === 'below' && idle)];
}

/** The bounds of each channel; on a side where the census has none, that of a ticket. tickets are the facility's, the newest first. */
export function boundsByChannel(own: OwnLimit[], tickets: Ticket[]): Record<string, Bound[]> {
  const low = new Set(tickets.filter((x) => x.state !== 'closed' && beneath(x)).map((x) => x.channel));
  const found: Record<string, Bound[]> = {};
  for (const x of own) (found[x.channel] ??= []).push(...boundsOf(x, !low.has(x.channel)));
  for (const x of tickets) {
    if (!x.channel || x.limit === null) continue;
    const below = beneath(x);
    const list = (found[x.channel] ??= []);
    if (!list.some((b) => b.below === below)) list.push({ at: x.limit, below, tier: 0, idle: below && x.limit >= 0 && !low.has(x.channel) });
  }
  return found;
}

/** The furthest bound that a value has passed. */
export function passed(bounds: Bound[], value: number): Bound | null {
  const over = bounds.filter((b) => !b.idle && (b.below ? value < b.at : value > b.at));
  return over.sort((a, b) => Math.abs(value - a.at) - Math.abs(value - b.at))[0] ?? null;
}

/** The first bound on each side; one alone where they are the same amount. */
export function nearest(bounds: Bound[]): { amount: number; side: 'above' | 'below' | 'both' }[] {
  const above = Math.min(...bounds.filter((b) => !b.below).map((b) => b.at));
  const below = Math.max(...bounds.filter((b) => b.below).map((b) => b.at));
  if (above === -below && bounds.length > 0) return [{ amount: above, side: 'both' }];
  return [{ amount: above, side: 'above' as const }, { amount: below, side: 'below' as const }].filter((x) => Number.isFinite(x.amount));
}

// The order of work: what nobody has taken on comes first, then the worst, then
// the newest.
import type { Ticket } from './api';

export const severities = ['critical', 'major', 'minor', 'info'] as const;
export const kinds = ['manhole', 'streetlight', 'bridge'] as const;
/** Kinds of tickets: Lamplighter's own trouble is one more. */
export const ticketKinds = [...kinds, 'system'] as const;

/** What bears an id like that is no facility: it has a page of another kind. */
const places = /^(area|feeder):/;

/** The page of what a ticket is about; null for Lamplighter's own trouble, which has none. */
export function pageOf(ticket: Ticket): { name: 'facility' | 'place'; params: { id: string } } | null {
  if (ticket.kind === 'system') return null;
  return { name: places.test(ticket.facility) ? 'place' : 'facility', params: { id: ticket.facility } };
}

/** The area that a ticket is about: its code, "" for the city; null for any other ticket. */
export function areaOf(ticket: Ticket): string | null {
  const [, code] = /^area:(\d+|city)$/.exec(ticket.facility) ?? [];
  return code === undefined ? null : code === 'city' ? '' : code;
}

const states = ['open', 'acknowledged', 'closed'];

function place(list: readonly string[], word: string): number {
  const i = list.indexOf(word);
  return i < 0 ? list.length : i;
}

/** Compares two tickets for a list. */
export function byUrgency(a: Ticket, b: Ticket): number {
  return place(states, a.state) - place(states, b.state) || place(severities, a.severity) - place(severities, b.severity) || b.id - a.id;
}

/** What a list is narrowed to; "" is everything. */
export interface Narrowing {
  kind: string;
  severity: string;
  state: string;
  /** "true" or "false": only faults that were over before anybody heard of them, or none of these. */
  historic?: string;
}

export function fits(ticket: Ticket, want: Narrowing): boolean {
  return (!want.kind || ticket.kind === want.kind) && (!want.severity || ticket.severity === want.severity) && (!want.state || ticket.state === want.state);
}

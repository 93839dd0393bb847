// Why a ticket was opened, as it is shown: what an evidence means in figures.
import type { Evidence, EvidenceValue } from './api';
import { quantity, unitOf } from './quantity';

/** Since when it held, Unix ms: by the readings' time, else by the daemon's. */
export function heldSince(e: Evidence): number {
  return e.silent || !e.since ? e.pending : e.since;
}

/** The value with its unit; yes and no in the reader's words; "" of what was not known. */
export function shownValue(v: EvidenceValue, yesNo: (yes: boolean) => string): string {
  if (v.yes !== undefined) return yesNo(v.yes);
  if (v.text !== undefined) return v.text;
  return v.number === undefined ? '' : quantity(v.number, unitOf(v.name, v.unit));
}

const lamps = '/api/v1/lighting/rates/lamps?';

/** The query of the page that lists the lamps behind a figure, where a text is the address of that list; else null. */
export function lampList(text: string | undefined): Record<string, string> | null {
  return text?.startsWith(lamps) ? Object.fromEntries(new URLSearchParams(text.slice(lamps.length))) : null;
}

// Times as people read them: the wall clock of the city, and how long ago.

/** An instant of the API: RFC 3339 with the city's offset, or Unix ms. */
export type Instant = string | number | null | undefined;

/** Unix ms; null for none. */
export function toMs(instant: Instant): number | null {
  if (instant === null || instant === undefined || instant === '' || instant === 0) return null;
  const ms = typeof instant === 'number' ? instant : Date.parse(instant);
  return Number.isNaN(ms) ? null : ms;
}

/** The parts of a wall clock, each two digits, the year four. */
interface Wall {
  date: string; // 2026-11-25
  time: string; // 02:24:48
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** The wall clock of zone (an IANA name) at ms. */
export function wall(ms: number, zone: string): Wall {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' });
    formats.set(zone, format);
  }
  const part: Record<string, string> = {};
  for (const { type, value } of format.formatToParts(ms)) part[type] = value;
  return { date: `${part['year']}-${part['month']}-${part['day']}`, time: `${part['hour']}:${part['minute']}:${part['second']}` };
}

/** 02:24:48 today, 11-24 02:24 this year, 2025-11-24 02:24 before. */
export function shortWall(ms: number, now: number, zone: string): string {
  const at = wall(ms, zone);
  const today = wall(now, zone).date;
  if (at.date === today) return at.time;
  const minute = at.time.slice(0, 5);
  return at.date.slice(0, 4) === today.slice(0, 4) ? `${at.date.slice(5)} ${minute}` : `${at.date} ${minute}`;
}

/** 2026-11-25 02:24:48. */
export function longWall(ms: number, zone: string): string {
  const at = wall(ms, zone);
  return `${at.date} ${at.time}`;
}

/** 2026-11-25T02:24: an instant as a datetime-local field holds it. */
export function toField(ms: number, zone: string): string {
  const at = wall(ms, zone);
  return `${at.date}T${at.time.slice(0, 5)}`;
}

/**
 * The instant that a datetime-local field shows by the wall clock of zone, Unix
 * ms; null of an empty one. Of a time that a change of the clocks skips, one an
 * hour off.
 */
export function fromField(text: string, zone: string): number | null {
  const asUTC = Date.parse(`${text}Z`);
  if (text === '' || Number.isNaN(asUTC)) return null;
  let at = asUTC;
  for (let i = 0; i < 2; i++) {
    const shown = wall(at, zone);
    at += asUTC - Date.parse(`${shown.date}T${shown.time}Z`);
  }
  return at;
}

/** A span in its biggest whole unit; what is below a second is 0 s. */
export interface Span {
  unit: 'seconds' | 'minutes' | 'hours' | 'days';
  n: number;
}

/** Seconds up to two minutes, minutes up to two hours, hours up to two days. */
export function span(ms: number): Span {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return { unit: 'seconds', n: seconds };
  if (seconds < 2 * 3600) return { unit: 'minutes', n: Math.floor(seconds / 60) };
  if (seconds < 48 * 3600) return { unit: 'hours', n: Math.floor(seconds / 3600) };
  return { unit: 'days', n: Math.floor(seconds / 86400) };
}

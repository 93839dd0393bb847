// What a line of a ticket's history notes, in the reader's language: what a person
// wrote as they wrote it, what the daemon wrote in one of its two.
import type { Title } from './api';

type Line = { what: string; by: string; note: string };

const daemon = ['telemetry', 'rules'];

/** Both languages of what the daemon wrote as one text; null of what has none of its own. */
export function both(note: string, between = '；'): Title | null {
  const [zh, en, more] = note.split(between);
  return zh && en && more === undefined ? { zh: zh.trim(), en: en.trim() } : null;
}

export function remark({ what, by, note }: Line, { t, word, pick }: { t: (key: string) => string; word: (group: string, name: string) => string; pick: (title: Title) => string }): string {
  if (!daemon.includes(by)) return note;
  if (what === 'severity') return note.split(' → ').map((s) => word('severity', s)).join(' → ');
  if (note === 'historic') return t('ticket.historicLead');
  const title = both(note, what === 'words' || what === 'revised' ? ' / ' : undefined);
  return title ? pick(title) : note;
}

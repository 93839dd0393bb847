// The daemon's parts, drawn together by kind: store-0 and store-1 are the store.
import type { Summary } from './api';

type Part = NonNullable<Summary['parts']>[number];

export interface PartGroup {
  name: string;
  count: number;
  good: number;
  /** How far the slowest lies behind, ms. */
  behind: number;
  /** What is wrong, with the part's full name. */
  troubles: { part: string; why: string }[];
  /** Facilities that rules by the sun do not judge. */
  sunless: number;
}

/** Which part a name, or the defect of a ticket about a part, is of: store-0 is a store. */
export function partOf(name: string): string {
  return name.replace(/-\d+$/, '').replace(/^broker .*/, 'mqtt').replace(/^(link|ingest_blind) .*/, 'link');
}

/** Groups in the order in which they are met; every broker that is read from is one group. */
export function groupParts(parts: Part[]): PartGroup[] {
  const groups = new Map<string, PartGroup>();
  for (const part of parts) {
    const name = part.name.startsWith('link ') ? part.name : partOf(part.name);
    const group = groups.get(name) ?? { name, count: 0, good: 0, behind: 0, troubles: [], sunless: 0 };
    group.count++;
    if (part.ok) group.good++;
    else group.troubles.push({ part: part.name, why: part.trouble ?? '' });
    group.sunless += part.sunless ?? 0;
    group.behind = Math.max(group.behind, part.age_ms ?? 0);
    groups.set(name, group);
  }
  return [...groups.values()];
}

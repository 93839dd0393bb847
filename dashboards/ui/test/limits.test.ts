import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { OwnLimit, Ticket } from '../src/api';
import { boundsByChannel, nearest, passed, tierNames } from '../src/limits';
import { en } from '../src/words/en';
import { zh } from '../src/words/zh';

const own = (channel: string, value: number, way: OwnLimit['way'], tier = 0): OwnLimit => ({ name: channel, channel, title: { zh: '', en: '' }, unit: '', value, way, tier });
const ticket = (channel: string, value: number, limit: number, state: Ticket['state'] = 'open'): Ticket => ({ channel, value, limit, state }) as Ticket;

describe('the limits of a channel', () => {
  const tiers = boundsByChannel([own('displacement_mm', 10, 'both', 1), own('displacement_mm', 20, 'both', 2), own('displacement_mm', 30, 'both', 3)], [])['displacement_mm']!;

  it('are those of every tier, on either side', () => {
    expect(tiers.map((b) => b.at)).toEqual([10, -10, 20, -20, 30, -30]);
    expect(nearest(tiers)).toEqual([{ amount: 10, side: 'both' }]);
  });

  it('are passed by a value up to the furthest', () => {
    const at = (v: number): [number, string] | null => {
      const b = passed(tiers, v);
      return b && [b.at, tierNames[b.tier]!];
    };
    expect([at(5), at(12), at(-25), at(99)]).toEqual([null, [10, 'notice'], [-20, 'warning'], [30, 'alarm']]);
  });

  it('are passed from above while a ticket says so: a lamp that is off by day is no fault', () => {
    const low = own('voltage_v', 187, 'below');
    expect(passed(boundsByChannel([low], [])['voltage_v']!, 0)).toBeNull();
    expect(passed(boundsByChannel([low], [ticket('voltage_v', 180, 187, 'closed')])['voltage_v']!, 0)).toBeNull();
    expect(passed(boundsByChannel([low], [ticket('voltage_v', 180, 187)])['voltage_v']!, 0)?.at).toBe(187);
  });

  it('are those of its tickets where the census has none', () => {
    const found = boundsByChannel([own('tilt_deg', 12, 'above')], [ticket('tilt_deg', 20, 15), ticket('voltage_v', 260, 253), ticket('voltage_v', 180, 187, 'closed'), ticket('strain_ue', -12, -10)]);
    expect(found['tilt_deg']!.map((b) => b.at)).toEqual([12]);
    expect(nearest(found['voltage_v']!)).toEqual([{ amount: 253, side: 'above' }, { amount: 187, side: 'below' }]);
    expect(passed(found['strain_ue']!, -12)?.at).toBe(-10);
    expect(nearest([])).toEqual([]);
  });

  it('have the tiers that the built-in rules speak of', () => {
    const rules = readFileSync(join(process.cwd(), '../../rules/default/default.yml'), 'utf8');
    for (const tier of Object.values(zh.tier)) expect(rules).toContain(`：${tier},`);
    for (const tier of Object.values(en.tier)) expect(rules).toContain(`: ${tier.toLowerCase()}"`);
  });
});

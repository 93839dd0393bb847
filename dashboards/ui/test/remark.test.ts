import { describe, expect, it } from 'vitest';
import { both, remark } from '../src/remark';
import { zh } from '../src/words/zh';

describe('a note in the history of a ticket', () => {
  const inChinese = (what: string, by: string, note: string): string => remark({ what, by, note }, {
    t: (key) => ({ 'ticket.historicLead': zh.ticket.historicLead })[key] ?? key,
    word: (group, name) => (group === 'severity' ? (zh.severity as Record<string, string>)[name] : undefined) ?? name,
    pick: (title) => title.zh,
  });

  it('is in the language of the reader where the daemon wrote it', () => {
    expect(inChinese('severity', 'telemetry', 'minor → critical')).toBe('一般 → 紧急');
    expect(inChinese('words', 'telemetry', '井盖上抬 → 井盖缺失 / Cover lifted → Cover missing')).toBe('井盖上抬 → 井盖缺失');
    expect(inChinese('opened', 'telemetry', 'W-1 人工结案后加重；it has got worse since W-1 was closed by hand')).toBe('W-1 人工结案后加重');
    expect(inChinese('closed', 'telemetry', 'historic')).toBe(zh.ticket.historicLead);
    expect(inChinese('opened', 'telemetry', 'disk full; 3 MB left')).toBe('disk full; 3 MB left');
  });

  it('has both languages apart, as has a condition that is none of the rule language', () => {
    expect(both('可感知完好率低于 95 %；Observable intact rate below 95 %')).toEqual({ zh: '可感知完好率低于 95 %', en: 'Observable intact rate below 95 %' });
    expect(both('tilt_deg > limit_tilt_deg')).toBeNull();
  });

  it('is as it was written where a person did', () => {
    for (const note of ['historic', '已到场；等配件', 'minor → critical']) expect(inChinese('closed', 'li', note)).toBe(note);
  });
});

import { describe, expect, it } from 'vitest';
import type { EvidenceValue, Evidence, Rate } from '../src/api';
import { heldSince, lampList, shownValue } from '../src/evidence';
import { amount, bucketsOf, daysOf, firstDayOf, goal, lampsQuery, levelOf, levelsBelow, percent, periodOf, scaleFrom, standingOf, trail, worstFirst } from '../src/lighting';

const rate = (more: Partial<Rate>): Rate => ({ rate: 'intact', version: '1', level: 'district', place: '350102', period: '2026-01', from: '2026-01-01', to: '2026-01-31', unit: 'lamp_nights', intact: 6, faulty: 2, unknown: 1, excluded: 1, numerator: 6, denominator: 8, value: 0.75, best: 7 / 9, worst: 6 / 9, target: 0.95, low: true, ...more }) as Rate;

describe('periods', () => {
  it('are named as the API names them', () => {
    expect([periodOf('2026-03-31', 'day'), periodOf('2026-03-31', 'month'), periodOf('2026-03-31', 'quarter'), periodOf('2026-12-01', 'quarter')]).toEqual(['2026-03-31', '2026-03', '2026-Q1', '2026-Q4']);
  });
  it('have a first and a last day', () => {
    expect(daysOf('2026-03-05')).toEqual({ from: '2026-03-05', to: '2026-03-05' });
    expect(daysOf('2024-02')).toEqual({ from: '2024-02-01', to: '2024-02-29' });
    expect(daysOf('2026-Q4')).toEqual({ from: '2026-10-01', to: '2026-12-31' });
    for (const none of ['', '2026', '2026-Q5', 'soon']) expect(daysOf(none)).toBeNull();
  });
  it('go back over the end of a year', () => {
    expect([firstDayOf('2026-01-05', 'day', 14), firstDayOf('2026-01-05', 'month', 12), firstDayOf('2026-11-24', 'month', 12), firstDayOf('2026-01-05', 'quarter', 8), firstDayOf('2026-11-24', 'quarter', 1)]).toEqual(
      ['2025-12-23', '2025-02-01', '2025-12-01', '2024-04-01', '2026-10-01']);
  });
});

describe('areas', () => {
  it('have the level of their digits, and levels below', () => {
    expect(['', '3501', '350102', '350102001', '350102001002'].map(levelOf)).toEqual(['city', 'city', 'district', 'street', 'community']);
    expect(levelsBelow('street')).toEqual(['community', 'road', 'cabinet']);
    expect(levelsBelow('community')).toEqual(['road', 'cabinet']);
    expect(trail('350102001')).toEqual(['350102', '350102001']);
    expect(trail('')).toEqual([]);
  });
});

describe('figures', () => {
  it('are never rounded up to their target', () => {
    expect([percent(95000 / 100001), goal(0.95), percent(0.9651), goal(0.9651515151515152), goal(0.97 / 3 + (2 * 0.95) / 3)]).toEqual(['94.99%', '95%', '96.51%', '96.5152%', '95.6667%']);
    expect([percent(0.94999), percent(0.95), percent(1), percent(2 / 3), percent(0.29)]).toEqual(['94.99%', '95.00%', '100.00%', '66.66%', '29.00%']);
  });
  it('that cannot be told are no good ones', () => {
    expect([standingOf(rate({})), standingOf(rate({ low: false })), standingOf(rate({ value: null, low: false }))]).toEqual(['low', 'met', 'none']);
    expect([rate({ value: 0.9, place: 'b' }), rate({ value: null, place: 'c' }), rate({ value: 0.5, place: 'd' }), rate({ value: 0.5, place: 'a' })].sort(worstFirst).map((r) => r.place)).toEqual(['c', 'a', 'd', 'b']);
  });
  it('lead to the lamps that they count', () => {
    expect(lampsQuery(rate({}), 'faulty')).toEqual({ rate: 'intact', version: '1', level: 'district', place: '350102', from: '2026-01-01', to: '2026-01-31', bucket: 'faulty' });
    expect(lampsQuery(rate({ level: 'city', place: '' }), '')).toEqual({ rate: 'intact', version: '1', level: 'city', from: '2026-01-01', to: '2026-01-31' });
    expect(lampsQuery(rate({ level: 'road', place: '' }), '')).toMatchObject({ place: '-' }); // lamps without a road, not all lamps
    expect(bucketsOf(rate({}))).toEqual({ numerator: 'intact', denominator: 'intact,faulty' });
    expect(bucketsOf(rate({ numerator: 7, denominator: 9 }))).toEqual({ numerator: 'intact,unknown', denominator: 'intact,faulty,unknown' });
  });
  it('are hours where time is measured', () => {
    expect([amount(12, 'lamp_nights'), amount(5_400_000, 'lamp_ms')]).toEqual(['12', '1.5']);
  });
  it('lie on a scale with their worst case and the target', () => {
    expect([scaleFrom([]), scaleFrom([rate({ worst: 0.99, value: 1 })]), scaleFrom([rate({ worst: 0.66 })]), scaleFrom([rate({ worst: null, value: null, target: 0.8 })])]).toEqual([0.9, 0.9, 0.6, 0.7]);
  });
});

describe('evidence', () => {
  const yesNo = (yes: boolean): string => (yes ? 'Y' : 'N');
  it('says since when, by the readings where there are some', () => {
    expect([heldSince({ since: 5, pending: 7 } as Evidence), heldSince({ since: 0, pending: 7 } as Evidence), heldSince({ since: 5, pending: 7, silent: 3 } as Evidence)]).toEqual([5, 7, 7]);
  });
  it('shows numbers with units, switches as words, and nothing for what was not known', () => {
    const shown = (v: Partial<EvidenceValue>): string => shownValue({ name: 'tilt_deg', ...v } as EvidenceValue, yesNo);
    expect([shown({ number: 33.5 }), shown({ number: 12, unit: 'ppm' }), shown({ yes: false }), shown({ text: 'on' }), shown({})]).toEqual(['33.5°', '12 ppm', 'N', 'on', '']);
  });
  it('leads from a list of lamps to its page', () => {
    expect(lampList('/api/v1/lighting/rates/lamps?rate=intact&place=350102%2F%E4%BA%94')).toEqual({ rate: 'intact', place: '350102/五' });
    expect([lampList('on'), lampList(undefined)]).toEqual([null, null]);
  });
});

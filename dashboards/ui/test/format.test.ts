import { describe, expect, it } from 'vitest';
import { agingAfter, belated, isStale, oldAfter } from '../src/age';
import type { Latest, Ticket } from '../src/api';
import { groupParts, partOf } from '../src/parts';
import { readable } from '../src/payload';
import { firstLanguage } from '../src/preferences';
import { digits, isSwitchChannel, quantity, unitOf } from '../src/quantity';
import { afterLogin } from '../src/router';
import { fromField, longWall, shortWall, span, toField, toMs } from '../src/time';
import { areaOf, byUrgency, fits, pageOf } from '../src/urgency';

const zone = 'Asia/Shanghai';
const now = Date.parse('2026-11-25T00:30:00+08:00');

describe('times', () => {
  it('are the wall clock of the city, wherever the browser stands', () => {
    expect(longWall(Date.parse('2026-11-24T16:05:06Z'), zone)).toBe('2026-11-25 00:05:06');
    expect(longWall(Date.parse('2026-11-24T16:05:06Z'), 'Europe/Paris')).toBe('2026-11-24 17:05:06');
  });

  it('grow a date as they grow older', () => {
    expect(shortWall(Date.parse('2026-11-25T00:05:06+08:00'), now, zone)).toBe('00:05:06');
    expect(shortWall(Date.parse('2026-11-24T23:59:59+08:00'), now, zone)).toBe('11-24 23:59');
    expect(shortWall(Date.parse('2025-11-24T23:59:59+08:00'), now, zone)).toBe('2025-11-24 23:59');
  });

  it('come as RFC 3339 or as Unix ms, and none is none', () => {
    expect(toMs('2026-11-25T02:24:48.157+08:00')).toBe(1795544688157);
    expect(toMs(1795544688157)).toBe(1795544688157);
    for (const none of [null, undefined, '', 0, 'yesterday']) expect(toMs(none)).toBeNull();
  });

  it('last in the biggest unit that still says something', () => {
    const of = (ms: number): string => `${span(ms).n} ${span(ms).unit}`;
    expect([of(-5), of(999), of(119_999), of(120_000), of(7_199_000), of(7_200_000), of(172_799_000), of(172_800_000)]).toEqual(
      ['0 seconds', '0 seconds', '119 seconds', '2 minutes', '119 minutes', '2 hours', '47 hours', '2 days']);
  });
});

describe('times of a form', () => {
  it('are those of the city, wherever the browser stands', () => {
    expect(toField(Date.parse('2026-11-24T16:05:06Z'), zone)).toBe('2026-11-25T00:05');
    expect(fromField('2026-11-25T00:05', zone)).toBe(Date.parse('2026-11-24T16:05:00Z'));
    expect(fromField('2026-07-01T12:00', 'Europe/Paris')).toBe(Date.parse('2026-07-01T10:00:00Z'));
    expect(fromField('2026-10-25T12:00', 'Europe/Paris')).toBe(Date.parse('2026-10-25T11:00:00Z')); // the clocks went back that night
    for (const none of ['', 'soon']) expect(fromField(none, zone)).toBeNull();
  });
});

describe('values', () => {
  it('have the unit that people write', () => {
    expect([quantity(34.204, unitOf('tilt_deg')), quantity(47, unitOf('displacement_mm')), quantity(0.31, unitOf('power_w')), quantity(99.51, unitOf('battery_pct'))]).toEqual(['34.2°', '47 mm', '0.31 W', '99.51%']);
    expect([unitOf('acceleration_x_ms2'), unitOf('wind_speed_ms'), unitOf('vibration_mg'), unitOf('cover_open'), unitOf('x', 'Cel')]).toEqual(['m/s²', 'm/s', 'mg', '', '°C']);
  });

  it('are yes or no where the channel is a switch', () => {
    expect(['cover_open', 'lamp_on', 'lamp_failure', 'supply_loss', 'flooded'].every(isSwitchChannel)).toBe(true);
    expect(['tilt_deg', 'shock_count', 'vehicles', 'power_w'].some(isSwitchChannel)).toBe(false);
  });

  it('keep the digits that matter', () => {
    expect([digits(1234.56), digits(123.456), digits(3.14159), digits(0.0314), digits(-0.5), digits(20)]).toEqual(['1235', '123.5', '3.14', '0.031', '-0.5', '20']);
  });
});

describe('staleness', () => {
  const value = (age: number, interval_s = 0, stale = false): Latest => ({ t: new Date(now - age).toISOString(), stale, interval_s }) as Latest;
  it('goes on while a value stands on the screen', () => {
    expect(isStale(value(24_000, 5), now)).toBe(false);
    expect(isStale(value(26_000, 5), now)).toBe(true);
    expect(isStale(value(14 * 60_000), now)).toBe(false);
    expect(isStale(value(16 * 60_000), now)).toBe(true);
  });
  it('of what came too late to end a silence: measured after the device was last heard, more than its clock may be ahead', () => {
    const seen = new Date(now - 60 * 60_000).toISOString();
    expect(belated([value(70 * 60_000), value(40 * 60_000)], seen)).toBe(now - 40 * 60_000);
    expect(belated([value(56 * 60_000)], seen)).toBeNull();
    expect([belated([], seen), belated([value(0)], null)]).toEqual([null, null]);
  });
  it('is believed when the daemon says it, and without a time', () => {
    expect(isStale(value(0, 5, true), now)).toBe(true);
    expect(isStale({ t: null, stale: false } as Latest, now)).toBe(true);
  });
});

describe('the city’s data', () => {
  it('is old when the device that reports most often has missed three turns, five minutes at least', () => {
    expect([0, 5, 600].map(oldAfter)).toEqual([300_000, 300_000, 1_800_000]);
    expect([0, 5, 600].map(agingAfter)).toEqual([60_000, 60_000, 600_000]);
  });
});

describe('the daemon’s parts', () => {
  it('are drawn together, and one in trouble is named', () => {
    expect(groupParts([{ name: 'log', ok: true }, { name: 'store-0', ok: true, age_ms: 7 }, { name: 'store-1', ok: false, trouble: 'away', age_ms: 90 }, { name: 'broker tcp://a', ok: true }, { name: 'broker tcp://b', ok: true }, { name: 'rules-0', ok: true, sunless: 2 }, { name: 'rules-1', ok: true, sunless: 3 }])).toEqual([
      { name: 'log', count: 1, good: 1, behind: 0, troubles: [], sunless: 0 },
      { name: 'store', count: 2, good: 1, behind: 90, troubles: [{ part: 'store-1', why: 'away' }], sunless: 0 },
      { name: 'mqtt', count: 2, good: 2, behind: 0, troubles: [], sunless: 0 },
      { name: 'rules', count: 2, good: 2, behind: 0, troubles: [], sunless: 5 },
    ]);
  });
});

describe('a part’s name', () => {
  it('tells which it is, in a ticket too', () => {
    expect(['log', 'store-0', 'rules-12', 'rule files', 'broker tcp://a/1', 'link a:1883', 'ingest_blind a:1883'].map(partOf)).toEqual(['log', 'store', 'rules', 'rule files', 'mqtt', 'link', 'link']);
  });
});

describe('tickets', () => {
  const x = (id: number, severity: string, state: string): Ticket => ({ id, severity, state, kind: 'bridge' }) as Ticket;
  it('stand in the order of work', () => {
    const list = [x(1, 'minor', 'open'), x(2, 'critical', 'acknowledged'), x(3, 'critical', 'open'), x(4, 'critical', 'open'), x(5, 'strange', 'open'), x(6, 'critical', 'closed')];
    expect(list.sort(byUrgency).map((t) => t.id)).toEqual([4, 3, 1, 5, 2, 6]);
  });
  it('lead to a page of what they are about, unless that is Lamplighter', () => {
    const page = (facility: string, kind = 'streetlight') => pageOf({ facility, kind } as Ticket)?.name;
    expect(['SL-1', 'CAB:C1', 'area:350102', 'area:city', 'feeder:F 1'].map((id) => page(id))).toEqual(['facility', 'facility', 'place', 'place', 'place']);
    expect(page('lamplighter', 'system')).toBeUndefined();
  });
  it('lead to an area where they are about one', () => {
    expect(['area:350102', 'area:city', 'MH-1', 'area:x'].map((facility) => areaOf({ facility } as Ticket))).toEqual(['350102', '', null, null]);
  });
  it('fit what they are narrowed to', () => {
    expect(fits(x(1, 'minor', 'open'), { kind: '', severity: '', state: '' })).toBe(true);
    expect(fits(x(1, 'minor', 'open'), { kind: 'bridge', severity: 'minor', state: 'open' })).toBe(true);
    expect(fits(x(1, 'minor', 'open'), { kind: 'manhole', severity: '', state: '' })).toBe(false);
  });
});

describe('payloads', () => {
  it('are text where they are text, else hex', () => {
    expect(readable(btoa('{"tilt_deg":'))).toEqual({ text: '{"tilt_deg":', bytes: 12 });
    expect(readable(btoa('\xff\x00\x10'))).toEqual({ text: 'ff 00 10', bytes: 3 });
    expect(readable(btoa('a\x00b')).text).toBe('61 00 62');
    expect(readable('no base64 !')).toEqual({ text: 'no base64 !', bytes: 11 });
  });
});

describe('choices', () => {
  it('begin in Chinese, unless the browser asks for English or somebody chose', () => {
    expect([firstLanguage(null, 'zh-CN'), firstLanguage(null, 'fr'), firstLanguage(null, 'en-GB'), firstLanguage('zh', 'en'), firstLanguage('xx', 'de')]).toEqual(['zh', 'zh', 'en', 'zh', 'zh']);
  });
  it('after a log-in lead back, never to another site', () => {
    expect([afterLogin('/tickets/3'), afterLogin('//evil.example'), afterLogin('/\\evil.example'), afterLogin('https://evil.example'), afterLogin(undefined), afterLogin(['/a'])]).toEqual(['/tickets/3', '/', '/', '/', '/', '/']);
  });
});

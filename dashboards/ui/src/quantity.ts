// Values with their units, as an operator writes them.

/** Units of the API (UCUM-like) that people write otherwise. */
const written: Record<string, string> = { deg: '°', Cel: '°C', ue: 'µε', 'm/s2': 'm/s²', ppm: 'ppm' };

/** Units by the ending of a channel's name: the unit is part of the name. */
const endings: [string, string][] = [
  ['_ms2', 'm/s²'], ['_ms', 'm/s'], ['_deg', '°'], ['_mm', 'mm'], ['_m', 'm'], ['_mg', 'mg'], ['_pct', '%'], ['_kwh', 'kWh'], ['_kn', 'kN'], ['_w', 'W'],
  ['_v', 'V'], ['_ma', 'mA'], ['_a', 'A'], ['_hz', 'Hz'], ['_ue', 'µε'], ['_c', '°C'], ['_dbm', 'dBm'], ['_ppm', 'ppm'], ['_lx', 'lx'], ['_h', 'h'],
];

/** The unit of a channel as it is shown; "" for a count or a switch. */
export function unitOf(channel: string, unit?: string): string {
  if (unit) return written[unit] ?? unit;
  return endings.find(([ending]) => channel.endsWith(ending))?.[1] ?? '';
}

/** A number with the digits that matter: 1234, 34.2, 0.031. */
export function digits(value: number): string {
  const size = Math.abs(value);
  const places = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3;
  return String(Number(value.toFixed(places)));
}

/** 34.2°, 47 mm, 3.6 V: degrees and percent stand close. */
export function quantity(value: number, unit: string): string {
  if (!unit) return digits(value);
  return unit === '°' || unit === '%' ? digits(value) + unit : `${digits(value)} ${unit}`;
}

/** Channels that are yes or no; the API shows them as 1 and 0. */
const switches = /(_open|_missing|_failure|_on|_loss)$|^(flooded|leakage|cycling|day_burner|battery_low|tamper)$/;

export function isSwitchChannel(channel: string): boolean {
  return switches.test(channel);
}

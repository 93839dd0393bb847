// English, with the keys of the Chinese catalogue.
import type { Catalogue } from './zh';

export const en: Catalogue = {
  app: { brand: 'Lamplighter', title: 'City facilities', skip: 'Skip to content', menu: 'Main navigation', clock: 'Time in the city' },
  nav: { live: 'Live', facilities: 'Facilities', vendors: 'Vendors' },
  user: { menu: 'User menu', language: 'Language', theme: 'Appearance', auto: 'System', light: 'Light', dark: 'Dark', logout: 'Log out' },
  language: { zh: '中文', en: 'English' },
  role: { viewer: 'Viewer', operator: 'Operator', dispatcher: 'Dispatcher', admin: 'Administrator' },
  login: {
    title: 'Log in', lead: 'Covers, lamps, bridges: what is wrong becomes a ticket', user: 'User', password: 'Password', submit: 'Log in', busy: 'Logging in…', show: 'Show password',
    first: 'At the first start, the password of the user admin is written to the file initial-admin-password in the data folder.',
  },
  link: {
    connecting: 'Connecting', open: 'Live', down: 'Down',
    lost: 'The connection is down', since: 'No news since {at} ({ago}). What you see below is not the state of now. Reconnecting.',
    old: 'The data is old', oldSince: 'The last reading came at {at} ({ago}). How the facilities stand now is unknown.', oldNever: 'No reading has come yet. How the facilities stand is unknown.', asOf: 'as of {at}',
  },
  strip: {
    label: 'The city at a glance', tickets: 'Tickets', open: 'Open', acknowledged: 'Acknowledged', total: '{n} in all', data: 'Data', age: 'Data age', received: 'Last received', parts: 'Parts of the system',
    good: 'good', trouble: 'trouble', behind: '{span} behind', share: '{ok} ok, {faulty} faulty, {unknown} unknown, {maintenance} in maintenance', waiting: 'Waiting for the first message…',
  },
  part: { log: 'Log', store: 'Store', rules: 'Rules', rule_files: 'Rule files', broker: 'Listener', mqtt: 'Brokers', pager: 'Pager', database: 'Database' },
  kind: { manhole: 'Manhole covers', streetlight: 'Streetlights', bridge: 'Bridges', system: 'System' },
  standing: { ok: 'OK', faulty: 'Faulty', unknown: 'Unknown', maintenance: 'Maintenance' },
  severity: { critical: 'Critical', major: 'Major', minor: 'Minor', info: 'Info' },
  state: { open: 'Open', acknowledged: 'Acknowledged', closed: 'Closed' },
  event: { opened: 'Opened', acknowledged: 'Acknowledged', closed: 'Closed', joined: 'Joined', left: 'Left', relapsed: 'Relapsed' },
  actor: { telemetry: 'Telemetry' },
  ticket: {
    title: 'Tickets', number: 'Number', severity: 'Severity', what: 'What', where: 'Where', value: 'Value and limit', limit: 'limit {limit}', of: '{value} of {limit}', since: 'Since', state: 'State', action: 'Action',
    openedAt: 'Opened', acknowledgedAt: 'Acknowledged', closedAt: 'Closed', by: '{who} · {at}', kind: 'Kind', defect: 'Rule', place: 'Place', owner: 'Owner',
    acknowledge: 'Acknowledge', close: 'Close', note: 'Note (optional)', noteHint: 'For example: the maintenance crew has been told', cancel: 'Cancel', dismiss: 'Got it', acknowledgeOf: 'Acknowledge ticket {number}', closeOf: 'Close ticket {number}',
    faster: '{who} was faster and acknowledged it at {at}. There is nothing left to acknowledge.', closedBefore: '{who} closed it at {at}.', busy: 'Sending…',
    all: 'All', anyKind: 'Kind', anySeverity: 'Severity', anyState: 'State', filters: 'Filter tickets', shown: '{n}', shownOf: '{n} of {all}', more: 'Show {n} more',
    none: 'No tickets to work on', noneLead: 'Everything that is known to be wrong has been dealt with.', noneFit: 'No ticket fits the filters', noneFitLead: 'Try another kind, severity or state.', clear: 'Clear filters', loading: 'Reading tickets…',
    facts: 'Facts', history: 'History', members: 'Facilities behind the same cause', membersLead: 'They belong to this ticket and get none of their own.', joined: 'Joined', left: 'Left', still: 'still there',
    pages: 'Pages', noPages: 'No page was sent: no channel is set up for this severity and kind.', channel: 'Channel', result: 'Result', attempts: 'Attempts', error: 'Error', when: 'When', who: 'Who', event: 'What', remark: 'Note', opened: 'New ticket: {what}, {where}', manyOpened: '{n} new tickets',
    readOnly: 'Your role may only look.',
  },
  page: { pending: 'Waiting', sent: 'Delivered', failed: 'Failed', sending: 'Being sent', retry: 'To be tried again' },
  facility: {
    title: 'Facilities', search: 'Search id, name or component code', searchKey: 'Press / to search, ↑ ↓ to move', id: 'Id', name: 'Name', state: 'State', kind: 'Kind', area: 'Area', circuit: 'Cabinet / circuit', seen: 'Last heard', total: '{n} in all', next: 'Next', previous: 'Previous',
    none: 'No facility found', noneLead: 'Try another id or name, or clear the filters.', empty: 'The census is empty', emptyLead: 'Fill it from CSV or GeoJSON with lamplighter devices import.', provisional: 'provisional', loading: 'Reading facilities…',
    facts: 'Census', device: 'Device', component: 'Component code', place: 'Place (WGS84)', vendor: 'Vendor and model', interval: 'Reports every', charge: 'In charge', owner: 'Owner', maintainer: 'Maintainer', installed: 'Installed', condition: 'Condition', gateway: 'Gateway', limits: 'Limits', unset: 'not recorded',
    latest: 'Newest values', channel: 'Channel', value: 'Value', measured: 'Measured', staleValue: 'stale, not the state of now', noLatest: 'No value within a day', chart: 'Chart', tickets: 'Its tickets', noTickets: 'This facility has no tickets', pagerLabel: 'Pages of the list',
  },
  condition: { intact: 'intact', damaged: 'damaged', missing: 'missing', retired: 'retired' },
  chart: {
    channel: 'Channel', range: 'Time range', h1: '1 hour', h6: '6 hours', h24: '24 hours', d7: '7 days', d30: '30 days', none: 'No data in this time', limit: 'limit', digest: '{count} values, lowest {low}, highest {high}, newest {last}, {gaps} gaps', label: 'Chart of {channel}: {digest}',
    capped: 'Only the newest {n} values are shown.', table: 'Show as a table', on: 'yes', off: 'no', loading: 'Reading…',
  },
  vendor: {
    title: 'Vendors', tabs: 'Vendor pages', quarantine: 'Quarantine', unknown: 'Not in the census', gaps: 'Loss ledger', device: 'Device', filter: 'Filter by device id', apply: 'Filter', when: 'When', code: 'Code', reason: 'Reason', path: 'Where', topic: 'Topic', payload: 'Payload', source: 'Source', bytes: '{n} bytes', whole: 'Whole payload',
    quarantineLead: 'Refused messages with the reason, the newest first.', unknownLead: 'Devices that tried to connect and are not in the census.', gapsLead: 'Sequence numbers that did not come, the newest first.', noQuarantine: 'Nothing was refused', noUnknown: 'No unknown devices', noGaps: 'Nothing is missing', noneLead: 'All is well.',
    first: 'First', last: 'Last', count: 'Times', boot: 'Boot', range: 'Numbers', missing: 'Missing', came: 'Came later', openOnly: 'Only what is still missing', more: 'More', loading: 'Reading…',
  },
  code: {
    E_JSON: 'Not valid JSON', E_FIELD: 'A wrong field', E_UNIT: 'A wrong unit', E_TIME: 'An implausible time', E_DUP: 'Came twice', E_CODEC: 'Cannot be decoded', E_IDENT: 'Not its own identity', E_SIZE: 'Too big', E_RATE: 'Too often', E_STORE: 'Refused by the store',
  },
  problem: {
    title: 'That did not work', again: 'Try again', said: 'The server said: {detail}', s0: 'The server did not answer. Check the network and try again.', s401: 'The user or the password is wrong, or the session has ended.', s403: 'Your role does not allow this.', s404: 'Not found. It may have been removed.', s409: 'It has changed meanwhile. Look at the newest state.', s422: 'Something in the input is wrong.', s429: 'Too many tries. Wait a little.', s500: 'The server failed. Try again in a moment.',
  },
  missing: { title: 'There is no such page', lead: 'The address may be mistyped, or the link is too old.', home: 'Back to the live page' },
  span: { seconds: '{n} s', minutes: '{n} min', hours: '{n} h', days: '{n} d', ago: '{span} ago', never: 'never' },
};

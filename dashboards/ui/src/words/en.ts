// English, with the keys of the Chinese catalogue.
import type { Catalogue } from './zh';

export const en: Catalogue = {
  app: { brand: 'Lamplighter', title: 'City facilities', skip: 'Skip to content', menu: 'Main navigation', clock: 'Time in the city' },
  nav: { live: 'Live', tickets: 'Tickets', facilities: 'Facilities', lighting: 'Lighting', windows: 'Windows', vendors: 'Vendors' },
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
    good: 'good', trouble: 'trouble', behind: '{span} behind', sunless: '{n} facilities without a place: not judged by the sun', share: '{ok} ok, {faulty} faulty, {unknown} unknown, {maintenance} in maintenance', waiting: 'Waiting for the first message…',
  },
  part: { log: 'Log', store: 'Store', rules: 'Rules', rule_files: 'Rule files', listener: 'Our listener', mqtt: 'Brokers', link: 'Way in {id}' },
  trouble: {
    log: 'The log takes nothing: new messages are not acknowledged; devices and gateways keep them and send them again. The administrator checks the disk and the size that the log may have.', store: 'The time-series store takes nothing: charts and newest values stand still; judging and tickets go on, and what is missing is written later. The administrator checks that the store runs, its disk and our account.', rules: 'The rules stand still: no new tickets for now; they go on where they stopped. The administrator checks the database and the disk.',
    rule_files: 'The rule files have a mistake and were not switched on: the rules from before judge. Whoever changed them corrects the file and line named below.', mqtt: 'The session with another MQTT broker is not well: what comes through it may be late or missing. The administrator checks that broker, our account and rights to its topics, and its queue limits.', link: 'A way in is down: facilities behind it are unknown and not called silent meanwhile. The administrator checks that the broker runs and the network.',
  },
  kind: { manhole: 'Manhole covers', streetlight: 'Streetlights', bridge: 'Bridges', system: 'System' },
  standing: { ok: 'OK', faulty: 'Faulty', unknown: 'Unknown', maintenance: 'Maintenance' },
  severity: { critical: 'Critical', major: 'Major', minor: 'Minor', info: 'Info' },
  state: { live: 'Not closed', open: 'Open', acknowledged: 'Acknowledged', closed: 'Closed', historic: 'Historic' },
  event: { opened: 'Opened', acknowledged: 'Acknowledged', closed: 'Closed', joined: 'Joined', left: 'Left', relapsed: 'Relapsed', severity: 'Severity changed', words: 'Got worse', revised: 'Summed anew' },
  actor: { telemetry: 'Telemetry', rules: 'Change of rules', command_line: 'command line' },
  ticket: {
    title: 'Tickets', number: 'Number', severity: 'Severity', what: 'What', where: 'Where', value: 'Value and limit', limit: 'limit {limit}', of: '{value} of {limit}', since: 'Since', state: 'State', action: 'Action',
    openedAt: 'Opened', acknowledgedAt: 'Acknowledged', closedAt: 'Closed', by: '{who} · {at}', kind: 'Kind', defect: 'Rule', place: 'Place', owner: 'Owner',
    acknowledge: 'Acknowledge', close: 'Close', note: 'Note (optional)', noteHint: 'For example: the maintenance crew has been told', cancel: 'Cancel', dismiss: 'Got it', acknowledgeOf: 'Acknowledge ticket {number}', closeOf: 'Close ticket {number}',
    faster: '{who} was faster and acknowledged it at {at}. There is nothing left to acknowledge.', closedBefore: '{who} closed it at {at}.', busy: 'Sending…',
    all: 'All', anyKind: 'Kind', anySeverity: 'Severity', anyState: 'State', filters: 'Filter tickets', shown: '{n}', shownOf: '{n} of {all}', more: 'Show {n} more',
    none: 'No tickets to work on', noneLead: 'Everything that is known to be wrong has been dealt with.', noneFit: 'No ticket fits the filters', noneFitLead: 'Try another kind, severity or state.', clear: 'Clear filters', loading: 'Reading tickets…',
    facts: 'Facts', history: 'History', members: 'Facilities behind the same cause', membersLead: 'They belong to this ticket and get none of their own.', joined: 'Joined', left: 'Left', still: 'still there', untilClosed: 'until it was closed',
    pages: 'Pages', noPages: 'No page was sent: no channel is set up for this severity and kind.', channel: 'Channel', result: 'Result', attempts: 'Attempts', error: 'Error', when: 'When', who: 'Who', event: 'What', remark: 'Note', opened: 'New ticket: {what}, {where}', manyOpened: '{n} new tickets',
    readOnly: 'Your role may only look.', allLead: 'All tickets, the newest first.', noneYet: 'There are no tickets yet', historic: 'Historic', anyHistoric: 'Historic or not', historicLead: 'The fault was over before anybody heard of it: it is on record, and nobody was paged.',
  },
  historic: { true: 'Only historic', false: 'Not historic' },
  why: {
    title: 'Why it was opened', none: 'Nothing is kept of why: early tickets have none.', rule: 'Rule', version: 'version {version}', when: 'Condition', since: 'Held since', wait: 'Has to last', at: 'Decided', values: 'Values that decided', decided: 'What decided', after: 'Afterwards', limit: 'Limit and its source',
    lasts: 'for {span}', noWait: 'needs not last', atOnce: 'for {span}; but this held too, and it was not waited for:', stale: 'too old to be believed', never: 'never reported', notYet: 'could not be told yet',
  },
  unit: { lamp_nights: '{n} lamp-nights', lamp_ms: '{n} lamp-hours' },
  tier: { notice: 'Yellow, notice', warning: 'Orange, warning', alarm: 'Red, alarm' },
  bound: { above: 'limit {limit}', below: 'lower limit {limit}', both: 'limit ±{limit}' },
  limitFrom: { facility: 'the facility’s own', model: 'its model’s', rule: 'the rule’s default' },
  form: { refused: 'Not accepted:' },
  page: { pending: 'Waiting', continued: 'Goes on from the ticket before, not told again', sent: 'Delivered', failed: 'Failed', sending: 'Being sent', retry: 'To be tried again' },
  facility: {
    title: 'Facilities', search: 'Search id, name or component code', searchKey: 'Press / to search, ↑ ↓ to move', id: 'Id', name: 'Name', state: 'State', kind: 'Kind', area: 'Area', circuit: 'Cabinet / circuit', seen: 'Last heard', total: '{n} in all', next: 'Next', previous: 'Previous',
    none: 'No facility found', noneLead: 'Try another id or name, or clear the filters.', empty: 'The census is empty', emptyLead: 'Fill it from CSV or GeoJSON with lamplighter devices import.', provisional: 'provisional', sunless: 'no place of their own, their circuit or cabinet: not judged by the sun', loading: 'Reading facilities…',
    facts: 'Census', device: 'Device', component: 'Component code', place: 'Place (WGS84)', vendor: 'Vendor and model', interval: 'Reports every', charge: 'In charge', owner: 'Owner', maintainer: 'Maintainer', installed: 'Installed', condition: 'Condition', gateway: 'Gateway', feeder: 'Feeder', lamps: 'Lamps', lampsOf: '{n}', timetable: 'Timetable', supply: 'Supply', limits: 'Limits', lower: 'lower', unset: 'not recorded',
    latest: 'Newest values', channel: 'Channel', value: 'Value', measured: 'Measured', staleValue: 'stale, not the state of now', staleEvery: 'stale, not the state of now (judged by one each {span})', noLatest: 'No value within a day', chart: 'Chart', tickets: 'Its tickets', noTickets: 'This facility has no tickets', pagerLabel: 'Pages of the list', since: 'since', blind: 'The way in {link} is down', blindLead: 'This facility is heard through it: nobody can tell whether it is silent, or how it stands now.', belated: 'Still held silent: what has come since is late, its newest value of {at} ({ago}).', belatedLead: 'It was sent before the device was found silent and is kept as history; what the device sends from then on ends the silence.',
  },
  window: {
    title: 'Maintenance windows', lead: 'While one lasts, nothing is opened and nobody is paged for what it names.', now: 'Now', waiting: 'To come', over: 'Over', begin: 'Begin maintenance', end: 'End it', endOf: 'End the window: {reason}', endLead: 'What is still wrong there then opens at once.', scope: 'For', from: 'From', to: 'To', reason: 'Reason', by: 'By', name: 'Who works there',
    facility: 'Facility', cabinet: 'Cabinet', circuit: 'Circuit', feeder: 'Feeder', area: 'Area code', kind: 'Kind', rule: 'Rule', cabinetOf: 'cabinet {id}', circuitOf: 'circuit {id}', feederOf: 'feeder {id}', areaOf: 'area {id}', ruleOf: 'rule {id}', endedBy: 'ended early by {who}', unsent: 'the rules have not heard of it yet', inForce: 'Windows in force', watched: 'Every facility is being watched.',
  },
  noWindow: { all: 'No maintenance windows', now: 'No maintenance in force', waiting: 'No maintenance to come', over: 'No maintenance is over' },
  windowHint: {
    facility: 'One facility. Fill in at least one field of what it is for; all that are filled in must fit.', cabinet: 'All that hangs on this cabinet.', circuit: 'One circuit of the cabinet; say the cabinet too.', feeder: 'All that this feeder supplies.', area: 'The area and all that lies in it, 4 to 15 digits.', kind: 'Only facilities of this kind.', rule: 'Only what this rule finds.', from: 'Time in the city; now if empty.', to: 'Time in the city; later than now and than its begin, at most 30 days.', name: 'You, if empty.', reason: 'For example: new lamps.',
  },
  lighting: {
    title: 'Lighting rates', tabs: 'Lighting pages', rate: 'Rate', period: 'Period', where: 'Where', newest: 'up to the night of {day}, summed up', course: 'Period by period', courseLead: 'A number leads to its lamps, a period to its places below.', places: 'Place by place', placesOf: 'Places in {period}', by: 'By', worstFirst: 'the lowest first', firstOnly: 'only the first {n}; the file has all', csv: 'Download CSV', value: 'Rate', scale: '{from}% to 100%; dashed: target, hatched: worst to best', cases: 'Worst – best', numerator: 'Numerator', inHours: '{what} (lamp-hours)', denominator: 'Denominator', nights: 'Nights',
    bar: '{value}, worst {worst}, best {best}, target {target}', none: 'No night has been summed up yet', noneLead: 'Each night is summed up about 15 minutes after dawn. The first figure is here on the morning after the first lamp was heard.', noFigure: 'There is no figure here', noPlace: 'not recorded', area: 'area {code}', definition: 'How the rate is defined', definitionLead: 'Each figure names the version of its definition; figures of two versions are never added up.', list: 'List',
    lamps: 'Lamps behind a figure', lamp: 'Lamp', countsAs: 'Counts as', why: 'When it was not intact, and why', noLamps: 'No such lamps', standsFor: 'stands for {n} lamps',
  },
  lightingTab: { lighting: 'Rates', findings: 'Findings' },
  place: {
    title: 'Place', what: 'What', members: 'Facilities in it', facts: 'Facts', tickets: 'Tickets', noTickets: 'There are no tickets about the place itself', inside: 'Tickets not closed in it', insideMost: 'only the newest {n}', rates: 'Lighting rates', area: 'Area', feeder: 'Feeder', cabinet: 'Cabinet', circuit: 'Circuit', gone: 'Taken out of the census', seen: 'Device not in the census', goneLead: 'The census no longer has this id; below are the tickets that it has left.', seenLead: 'The census does not have this id; its messages, gaps and attempts are listed under',
  },
  supply: { always: 'always on', switched: 'switched at the cabinet' },
  roadClass: { expressway: 'expressway', main: 'main road', secondary: 'secondary road', branch: 'branch road' },
  level: { city: 'The city', district: 'District', street: 'Street', community: 'Community', grid: 'Unit grid', road: 'Road', cabinet: 'Cabinet' },
  period: { day: 'Night', month: 'Month', quarter: 'Quarter' },
  rate: { met: 'Met', low: 'Below target', none: 'Cannot be told' },
  bucket: { intact: 'Intact', faulty: 'Faulty', unknown: 'Unknown', excluded: 'Excluded' },
  reason: { silent: 'silent', unheard: 'never heard', gone: 'taken out of the census', away: 'the system was away', timetable: 'outside of its timetable', maintenance: 'maintenance', installed: 'not installed before', census: 'by the census:' },
  finding: {
    title: 'Findings', lead: 'What people have found wrong with lamps; it counts in the rates beside what is measured.', find: 'Enter a finding', end: 'Settle', endOf: 'Settle finding {n}', withdraw: 'Withdraw', withdrawOf: 'Withdraw finding {n}', how: 'Outcome', lasting: 'Not mended', mended: 'Mended', withdrawn: 'Withdrawn', withdrawnLead: 'It was entered by mistake: it counts in no night, and stays on record.', lamp: 'Lamp', defect: 'What is wrong', foundAt: 'Found', endedAt: 'Mended', number: 'finding {n}', openOnly: 'Only what is not mended', filter: 'Filter by lamp id', none: 'No findings', noneLead: 'What is found on a walk is entered here.',
  },
  findingHint: { lamp: 'A lamp of the census.', defect: 'Choose one, or write small letters and underscores.', foundAt: 'Time in the city; now if empty. At most 100 days ago: the nights since are summed up anew.', endedAt: 'Time in the city; now if empty. Not before it was found.' },
  defect: {
    lamp_out: 'does not burn', leaning: 'pole leans', dirty_glass: 'dirty glass', broken_glass: 'broken glass', pole_damaged: 'pole damaged', door_open: 'door open', wire_exposed: 'exposed wire',
    cover_displaced: 'cover displaced or open', cover_sunk: 'cover sunk', shaft_flooded: 'shaft flooded', street_flooded: 'shafts of a street flooded', explosive_gas: 'explosive gas', battery_low: 'battery low', comm_lost: 'communication lost', gear_failure: 'control gear failure', lamp_cycling: 'lamp cycles',
    dimming_failure: 'dimming failure', day_burner: 'burns by day', relay_failure: 'relay failure', leakage: 'leakage', supply_loss: 'supply lost', voltage_off: 'voltage out of band', circuit_voltage: 'voltage of the circuit out of band', cabinet_silent: 'cabinet silent', circuit_silent: 'circuit silent',
    bridge_limit: 'bridge over limit', sensor_fault: 'sensor of the bridge faulty', street_silent: 'devices of the street silent', cabinet_dark: 'cabinet dark', feeder_dark: 'feeder dark', street_dark: 'street dark', bridge_deviates: 'bridge off its usual place', bridge_drift: 'bridge settles slowly', bridge_frequency: 'natural frequency has shifted',
    lamps_missing: 'current of the circuit below its usual: lamps missing', circuit_dark: 'circuit dark though it should be on', water_rising: 'water high or rising in the shaft', street_water_rising: 'water high or rising in shafts of the street', toxic_gas: 'toxic gas in the shaft', cover_rattles: 'cover rattles', burns_by_day: 'burns by day', lamp_dark: 'dark though it should be on', lamp_flickers: 'lamp goes on and off',
    lamp_dim: 'lamp too dim', power_high: 'power too high', lamps_out_together: 'many lamps of the circuit out', lighting_rate_low: 'Intact rate below its target', lighting_rate_low_lit: 'Lit rate below its target',
  },
  condition: { intact: 'intact', damaged: 'damaged', missing: 'missing', retired: 'retired' },
  chart: {
    channel: 'Channel', range: 'Time range', h1: '1 hour', h6: '6 hours', h24: '24 hours', d7: '7 days', d30: '30 days', none: 'No data in this time', digest: '{count} values, lowest {low}, highest {high}, newest {last}, {gaps} gaps', label: 'Chart of {channel}: {digest}',
    capped: 'Only the newest {n} values are shown.', table: 'Show as a table', on: 'yes', off: 'no', loading: 'Reading…',
  },
  usual: {
    legend: 'Legend', usual: 'Usual', band: 'Error band (±{n} standard deviations)', of: 'Usual (rule {rule}):', from: 'learned since {since} from {n} steps, each the mean of {step};', on: ' compensated by {channel}, no lag, R² {r2}.', lagged: ' compensated by {channel} with a lag of {lag}, R² {r2}.', mean: ' it is their mean, compensated by nothing.', noFit: 'none', schedule: ' It is learned and judged {when} only.',
    stands: 'The step up to {at}: mean {value}, usual {expected}, standard deviation {band}, off by {rest}.', learning: 'still learning: {n} steps, at least {needs} and {span} are needed (begun: {since}). Until then nobody knows what is usual, and nothing is judged by it.', notBegun: 'not yet', past: 'The line is what is usual by all that was learned until now, not what was judged by then.',
  },
  schedule: { night: 'by night', day: 'by day', should_be_on: 'while it should be on', should_be_off: 'while it should be off', powered: 'while it has power' },
  vendor: {
    title: 'Vendors', tabs: 'Vendor pages', quarantine: 'Quarantine', unknown: 'Turned away', gaps: 'Loss ledger', device: 'Device', filter: 'Filter by device id', apply: 'Filter', when: 'When', code: 'Code', reason: 'Reason', path: 'Where', topic: 'Topic', payload: 'Payload', source: 'Source', bytes: '{n} bytes', whole: 'Whole payload',
    quarantineLead: 'Refused messages with the reason, the newest first.', unknownLead: 'Devices that tried to connect and were not let in, the latest first.', nameless: 'gave no name', gapsLead: 'Sequence numbers that did not come, the newest first.', noQuarantine: 'Nothing was refused', noUnknown: 'No device was turned away', noGaps: 'Nothing is missing', noneLead: 'All is well.',
    first: 'First', last: 'Last', count: 'Times', boot: 'Boot', range: 'Numbers', missing: 'Missing', came: 'Came later', openOnly: 'Only what is still missing', more: 'More', loading: 'Reading…',
  },
  code: {
    E_JSON: 'Not valid JSON', E_FIELD: 'A wrong field', E_UNIT: 'A wrong unit', E_TIME: 'An implausible time', E_DUP: 'Came twice', E_CODEC: 'Cannot be decoded', E_IDENT: 'Not its own identity', E_SIZE: 'Too big', E_RATE: 'Too often', E_STORE: 'Refused by the store',
  },
  codeCure: {
    E_JSON: 'Malformed, or damaged on its way: the vendor checks what the device or gateway sends.', E_FIELD: 'A field has a type or value that the protocol does not allow: the vendor corrects what is named below.', E_UNIT: 'The vendor uses the unit of the protocol.', E_TIME: 'The clock is wrong, or the time is written wrongly: the vendor sets it.', E_DUP: 'Received before: nothing to do; if it is frequent, the vendor checks what is sent again.',
    E_CODEC: 'Topic or format is not known: check the topic; a new format needs a decoder first.', E_IDENT: 'The device is not in the census: add it; or it used the topic of another: the vendor uses its own.', E_SIZE: 'The vendor sends smaller messages, more of them.', E_RATE: 'The vendor reports less often; if that often is right, an admin raises the limit.', E_STORE: 'The chart lacks this value; judging and tickets go on: tell the administrator.',
  },
  turnedAway: {
    not_in_the_census: 'Not in the census', wrong_password: 'Wrong password', no_user_name: 'No user name', the_user_name_is_no_device_id: 'User name is no device id', the_certificate_s_CN_is_no_device_id: 'Certificate of no device', unknown_protocol_version: 'Unknown MQTT version', bad_CONNECT: 'Bad connection request', client_id_too_long: 'Client id too long', no_client_id: 'No client id', too_many_connections: 'Too many connections',
  },
  turnedAwayCure: {
    not_in_the_census: 'If it is the city’s, import it; otherwise leave it.', wrong_password: 'Check the password in the device, or have an admin give it a new one.', no_user_name: 'The vendor uses the device id as user name.', the_user_name_is_no_device_id: 'The vendor uses the device id as user name.', the_certificate_s_CN_is_no_device_id: 'The vendor uses a certificate whose CN is the device id.', unknown_protocol_version: 'The vendor uses MQTT 3.1, 3.1.1 or 5.', bad_CONNECT: 'The vendor checks the MQTT program of the device.', client_id_too_long: 'The vendor shortens the client id to 128 bytes.', no_client_id: 'A lasting session needs a client id: the vendor sets one.', too_many_connections: 'The device tries again; if it is frequent, an admin raises the limit.',
  },
  problem: {
    title: 'That did not work', again: 'Try again', said: 'The server said:', s0: 'The server did not answer. Check the network and try again.', s401: 'The user or the password is wrong, or the session has ended.', s403: 'Your role does not allow this.', s404: 'Not found. It may have been removed.', s409: 'It has changed meanwhile. Look at the newest state.', s422: 'Something in the input is wrong.', s429: 'Too many tries. Wait a little.', s500: 'The server failed. Try again in a moment.',
  },
  missing: { title: 'There is no such page', lead: 'The address may be mistyped, or the link is too old.', home: 'Back to the live page' },
  span: { seconds: '{n} s', minutes: '{n} min', hours: '{n} h', days: '{n} d', ago: '{span} ago', never: 'never' },
};

// The board: four pages over the HTTP API and its live stream.
import { t, pick, toggle, current } from './text.js';

const $ = (s) => document.querySelector(s);
let me = null, summary = null, lastNews = 0, live = null, fresh = new Set();

// el makes an element; children that are strings become text, never HTML.
function el(name, attrs = {}, ...kids) {
  const e = document.createElement(name);
  for (const [k, v] of Object.entries(attrs)) {
    if (k.startsWith('on')) e.addEventListener(k.slice(2), v);
    else if (v !== false && v != null) e.setAttribute(k, v === true ? '' : v);
  }
  e.append(...kids.flat().filter((k) => k != null).map((k) => (k instanceof Node ? k : String(k))));
  return e;
}

async function api(path, opt = {}) {
  const headers = { ...(opt.body ? { 'Content-Type': 'application/json' } : {}), ...(me ? { 'X-CSRF-Token': me.csrf } : {}) };
  const r = await fetch('/api/v1/' + path, { ...opt, headers });
  if (r.status === 401 && path !== 'session') { me = null; show(); }
  if (r.status === 204) return null;
  const body = await r.json().catch(() => ({}));
  if (!r.ok) throw new Error(body.detail || r.statusText);
  return body;
}

const time = (s) => (s ? s.slice(5, 10) + ' ' + s.slice(11, 19) : t('never'));
const badge = (s) => el('span', { class: { ok: 'ok', faulty: 'bad', open: 'bad', acknowledged: 'warn', closed: 'ok' }[s] || s }, ({ ok: '● ', faulty: '▲ ', unknown: '? ', open: '▲ ', acknowledged: '◐ ', closed: '● ', critical: '!! ', major: '! ' }[s] || '') + t(s));

function table(heads, rows) {
  if (!rows.length) return el('p', { class: 'unknown' }, t('none'));
  return el('div', { class: 'wrap' }, el('table', { class: 'cards' }, el('thead', {}, el('tr', {}, heads.map((h) => el('th', {}, t(h))))),
    el('tbody', {}, rows.map((r) => el('tr', { class: r.mark ? 'new' : null }, r.cells.map((c, i) => el('td', { 'data-h': t(heads[i]) }, el('span', {}, c))))))));
}

function ticketTable(items) {
  return table(['number', 'facility', 'defect', 'severity', 'state', 'since', 'value', 'action'], items.map((x) => ({
    mark: fresh.has(x.id),
    cells: [el('a', { href: '#/ticket/' + x.id }, x.number), el('a', { href: '#/facility/' + x.facility }, x.facility_name || x.facility), pick(x.summary), badge(x.severity), badge(x.state), time(x.event_at),
      x.value == null ? '' : `${x.value}${x.limit == null ? '' : ' / ' + t('limit') + ' ' + x.limit}`,
      x.state === 'open' && me.role !== 'viewer' ? el('button', { type: 'button', onclick: () => act(x.id, 'acknowledge') }, t('acknowledge')) : ''],
  })));
}

async function act(id, what) {
  try { await api(`tickets/${id}/${what}`, { method: 'POST', body: '{}' }); } catch (e) { $('#say').textContent = e.message; alert(e.message); }
  show();
}

const pages = {
  async live() {
    const { items } = await api('tickets?state=live&limit=100');
    return [el('h2', {}, t('tickets')), ticketTable(items)];
  },
  async facilities(q) {
    const p = new URLSearchParams(q || '');
    const form = el('form', { class: 'bar', onsubmit: (e) => { e.preventDefault(); location.hash = '#/facilities/' + new URLSearchParams(new FormData(e.target)); } },
      el('input', { name: 'q', value: p.get('q') || '', placeholder: t('search'), 'aria-label': t('search') }),
      el('select', { name: 'kind', 'aria-label': t('facility') }, ['', 'manhole', 'streetlight', 'bridge'].map((k) => el('option', { value: k, selected: k === p.get('kind') }, k ? t(k) : t('all')))),
      el('button', { class: 'main' }, t('search')));
    const r = await api('facilities?limit=50&' + p);
    const next = r.next && el('a', { href: '#/facilities/' + new URLSearchParams({ ...Object.fromEntries(p), cursor: r.next }) }, t('next'));
    return [form, el('p', {}, `${t('total')} ${r.total} `, next || ''), table(['facility', 'name', 'state', 'area', 'circuit', 'seen'], r.items.map((f) => ({
      cells: [el('a', { href: '#/facility/' + f.id }, f.id), f.name + (f.provisional ? ` (${t('provisional')})` : ''), badge(f.state), f.area || '', [f.cabinet, f.circuit].filter(Boolean).join(' '), time(f.last_seen)],
    })))];
  },
  async facility(id, chosen) {
    const [f, l, k] = await Promise.all([api('facilities/' + id), api(`facilities/${id}/latest`), api('tickets?facility=' + id)]);
    const ch = chosen || l.values.find((v) => v.channel !== 'seq')?.channel;
    const pts = ch ? (await api(`facilities/${id}/readings?channel=${ch}`)).points : [];
    return [el('h2', {}, f.name || f.id, ' ', badge(f.state)),
      el('dl', {}, [['facility', f.id], ['area', f.area], ['circuit', [f.cabinet, f.circuit].filter(Boolean).join(' ')], ['owner', f.owner], ['map', f.has_place ? `${f.lat.toFixed(5)}, ${f.lon.toFixed(5)}` : ''], ['seen', time(f.last_seen)]].filter((x) => x[1]).flatMap(([a, b]) => [el('dt', {}, t(a)), el('dd', {}, b)])),
      el('h2', {}, t('latest')), table(['channel', 'value', 'when'], l.values.filter((v) => v.channel !== 'seq').map((v) => ({ cells: [el('a', { href: `#/facility/${id}/${v.channel}` }, `${pick(v.title) || v.channel}`), `${v.v} ${v.unit}`, el('span', { class: v.stale ? 'warn' : null }, time(v.t) + (v.stale ? ` (${t('stale')})` : ''))] }))),
      el('h2', {}, t('hours'), ch ? ' · ' + ch : ''), chart(pts), el('h2', {}, t('tickets')), ticketTable(k.items)];
  },
  async ticket(id) {
    const x = await api('tickets/' + id);
    const may = me.role !== 'viewer';
    return [el('h2', {}, x.number, ' ', pick(x.summary), ' ', badge(x.severity), ' ', badge(x.state)), el('p', {}, el('a', { href: '#/facility/' + x.facility }, x.facility_name || x.facility), ' · ', t('since'), ' ', time(x.event_at)),
      may && x.state !== 'closed' ? el('div', { class: 'bar' }, x.state === 'open' ? el('button', { type: 'button', class: 'main', onclick: () => act(id, 'acknowledge') }, t('acknowledge')) : '', el('button', { type: 'button', onclick: () => act(id, 'close') }, t('close'))) : '',
      el('h2', {}, t('history')), table(['when', 'who', 'what', 'note'], x.history.map((h) => ({ cells: [new Date(h.at).toLocaleString(current()), t(h.by), t(h.what), h.note] }))),
      el('h2', {}, t('pages')), table(['channel', 'state', 'attempts', 'error'], x.pages.map((p) => ({ cells: [p.channel, p.state, p.attempts, p.last_error] })))];
  },
  async vendors() {
    const [q, s] = await Promise.all([api('quarantine'), api('seen')]);
    return [el('h2', {}, t('quarantine')), table(['when', 'device', 'code', 'reason', 'payload'], q.items.map((x) => ({ cells: [time(x.at), x.device, x.code, `${x.path} ${x.msg}`, decode(x.payload)] }))),
      el('h2', {}, t('unknownDevices')), table(['device', 'reason', 'count', 'when'], s.items.map((x) => ({ cells: [x.device, x.reason, x.count, new Date(x.last).toLocaleString(current())] })))];
  },
};

function decode(b64) {
  try { return new TextDecoder().decode(Uint8Array.from(atob(b64), (c) => c.charCodeAt(0))).slice(0, 120); } catch { return b64.slice(0, 120); }
}

// chart draws points as one line with its bounds.
function chart(pts) {
  const ns = 'http://www.w3.org/2000/svg', svg = document.createElementNS(ns, 'svg');
  svg.setAttribute('class', 'chart'); svg.setAttribute('viewBox', '0 0 800 220'); svg.setAttribute('preserveAspectRatio', 'none'); svg.setAttribute('role', 'img');
  const xs = pts.map((p) => Date.parse(p.t)), ys = pts.map((p) => p.v);
  svg.setAttribute('aria-label', `${pts.length} points`);
  if (!pts.length) return svg;
  const lo = Math.min(...ys), hi = Math.max(...ys), a = Math.min(...xs), b = Math.max(...xs);
  const path = document.createElementNS(ns, 'path');
  path.setAttribute('d', pts.map((p, i) => `${i ? 'L' : 'M'}${(50 + 740 * (xs[i] - a) / (b - a || 1)).toFixed(1)} ${(200 - 180 * (ys[i] - lo) / (hi - lo || 1)).toFixed(1)}`).join(''));
  for (const [y, v] of [[24, hi], [204, lo]]) { const x = document.createElementNS(ns, 'text'); x.setAttribute('x', 4); x.setAttribute('y', y); x.textContent = v; svg.append(x); }
  svg.append(path);
  return svg;
}

function login() {
  const err = el('p', { class: 'err', role: 'alert' });
  return el('form', { class: 'login', onsubmit: async (e) => {
    e.preventDefault();
    const f = new FormData(e.target);
    try { me = await api('session', { method: 'POST', body: JSON.stringify({ user: f.get('user'), password: f.get('password') }) }); connect(); show(); } catch (x) { err.textContent = x.message; }
  } }, el('h2', {}, t('login')), el('label', {}, t('user'), el('input', { name: 'user', autocomplete: 'username', required: true })), el('label', {}, t('password'), el('input', { name: 'password', type: 'password', autocomplete: 'current-password', required: true })), el('button', { class: 'main' }, t('login')), err);
}

let turn = 0;
async function show() {
  const mine = ++turn;
  document.querySelector('[data-t=title]').textContent = t('title');
  $('#lang').textContent = current() === 'zh' ? 'English' : '中文';
  $('#out').textContent = t('logout'); $('#out').hidden = !me;
  const [, page = 'live', a, b] = location.hash.split('/');
  $('#nav').replaceChildren(...(me ? ['live', 'facilities', 'vendors'].map((p) => el('a', { href: '#/' + p, 'aria-current': p === page ? 'page' : null }, t(p))) : []));
  strip();
  if (!me) { $('#main').replaceChildren(login()); return; }
  let body;
  try { body = await (pages[page] || pages.live)(a && decodeURIComponent(a), b); } catch (e) { body = [el('p', { class: 'err', role: 'alert' }, e.message)]; }
  if (mine === turn) $('#main').replaceChildren(...body.filter(Boolean));
}

function strip() {
  if (!me || !summary) { $('#strip').replaceChildren(); return; }
  const tile = (label, value, cls) => el('div', { class: 'tile' }, el('small', {}, t(label)), el('b', { class: cls }, value));
  const bad = summary.parts.filter((p) => !p.ok);
  $('#strip').replaceChildren(tile('open', summary.tickets.open, summary.tickets.open ? 'bad' : 'ok'), tile('acknowledged', summary.tickets.acknowledged),
    ...['manhole', 'streetlight', 'bridge'].filter((k) => summary.kinds[k]).map((k) => { const c = summary.kinds[k]; return tile(k, `${c.ok}/${c.total}  ▲${c.faulty}  ?${c.unknown}`); }),
    tile('age', (summary.age_ms / 1000).toFixed(1) + ' s', summary.age_ms > 60000 ? 'bad' : 'ok'), tile('health', bad.length ? `▲ ${t('trouble')}: ${bad.map((p) => p.name).join(', ')}` : '● ' + t('good'), bad.length ? 'bad' : 'ok'));
}

function connect() {
  live?.close();
  live = new EventSource('/api/v1/live');
  live.addEventListener('summary', (e) => { summary = JSON.parse(e.data); lastNews = Date.now(); strip(); });
  live.addEventListener('ticket', (e) => {
    const x = JSON.parse(e.data);
    if (x.state === 'open') { fresh.add(x.id); $('#say').textContent = `${t('newTicket')}: ${x.number} ${pick(x.summary)} ${x.facility_name || x.facility}`; setTimeout(() => fresh.delete(x.id), 20000); }
    if (/^(#\/(live|ticket|facility\/).*)?$/.test(location.hash)) show();
  });
  live.addEventListener('reset', () => show());
}

setInterval(() => {
  const age = Math.round((Date.now() - lastNews) / 1000), away = me && lastNews && age > 5;
  $('#stale').hidden = !away;
  if (away) $('#stale').textContent = `${t('away')} ${age} s`;
}, 1000);
$('#lang').addEventListener('click', () => { toggle(); show(); });
$('#out').addEventListener('click', async () => { await api('session', { method: 'DELETE' }).catch(() => {}); live?.close(); me = null; show(); });
addEventListener('hashchange', show);
api('session').then((w) => { me = w; connect(); }).catch(() => {}).finally(show);

// The daemon's HTTP API as the board uses it. The shapes come from openapi.ts,
// which `npm run types` writes from a running daemon's /api/openapi.json.
import type { paths } from './openapi';

type Answer<P extends keyof paths, M extends 'get' | 'post'> = paths[P][M] extends {
  responses: { 200: { content: { 'application/json': infer Body } } };
}
  ? Body
  : never;
type Asked<P extends keyof paths> = paths[P]['post'] extends { requestBody: { content: { 'application/json': infer Body } } } ? Omit<Body, '$schema'> : never;
type ItemOf<P extends keyof paths> = Answer<P, 'get'> extends { items: (infer Item)[] | null } ? Item : never;

export type Who = Answer<'/api/v1/session', 'get'>;
export type Summary = Answer<'/api/v1/summary', 'get'>;
export type Facility = Answer<'/api/v1/facilities/{id}', 'get'>;
export type Latest = NonNullable<Answer<'/api/v1/facilities/{id}/latest', 'get'>['values']>[number];
export type Readings = Answer<'/api/v1/facilities/{id}/readings', 'get'>;
/** What a rule has learned to be usual of a channel. */
export type OwnLimit = NonNullable<Facility['own_limits']>[number];
export type Usual = NonNullable<Facility['usual']>[number];
export type Expected = Answer<'/api/v1/facilities/{id}/usual', 'get'>;
export type Ticket = ItemOf<'/api/v1/tickets'>;
export type TicketDetail = Ticket & Answer<'/api/v1/tickets/{id}', 'get'>;
export type Member = ItemOf<'/api/v1/tickets/{id}/members'>;
export type Refused = ItemOf<'/api/v1/quarantine'>;
export type Gap = ItemOf<'/api/v1/ledger/gaps'>;
export type Seen = ItemOf<'/api/v1/seen'>;
export type Explanation = Answer<'/api/v1/tickets/{id}/explanation', 'get'>;
export type Evidence = NonNullable<Explanation['evidence']>;
export type EvidenceValue = NonNullable<Evidence['values']>[number];
export type Window = ItemOf<'/api/v1/windows'>;
export type NewWindow = Asked<'/api/v1/windows'>;
export type Rate = ItemOf<'/api/v1/lighting/rates'>;
export type LampNight = ItemOf<'/api/v1/lighting/rates/lamps'>;
export type Night = NonNullable<Answer<'/api/v1/lighting/nights', 'get'>['items']>[number];
export type Definition = NonNullable<Answer<'/api/v1/lighting/definitions', 'get'>['items']>[number];
export type Finding = ItemOf<'/api/v1/lighting/findings'>;
export type NewFinding = Asked<'/api/v1/lighting/findings'>;
export type Place = Answer<'/api/v1/places/{id}', 'get'>;
export type Area = Answer<'/api/v1/areas/{code}', 'get'>;
export type Title = Ticket['summary'];

/** One page of a list; next is the cursor of the following one, null on the last. */
export interface Page<Item> {
  items: Item[];
  next: string | null;
  total: number | null;
}

/** Query parameters; what is undefined or empty is left out. */
export type Query = Record<string, string | number | boolean | undefined>;

/** An answer that is no success, or none at all (status 0). */
export class Problem extends Error {
  constructor(
    /** The HTTP status; 0 when the daemon did not answer. */
    readonly status: number,
    /** What the daemon says in its own words, in English. */
    readonly detail: string,
    /** The machine's name of the reason, "" where it has none. */
    readonly code = '',
    /** What to do about it, "" where the daemon does not say. */
    readonly cure = '',
    /** What is wrong with which field of the request's body. */
    readonly fields: Record<string, string> = {},
  ) {
    super(detail || `HTTP ${status}`);
    this.name = 'Problem';
  }
}

const patience = 15_000; // ms until a request counts as not answered

/** Api calls the daemon; csrf is what a session must send with every change. */
export class Api {
  csrf = '';
  /** Told when the daemon no longer knows the session. */
  onLoggedOut: () => void = () => {};

  constructor(private readonly fetch: typeof globalThis.fetch) {}

  session = (): Promise<Who> => this.get('session');
  login = (user: string, password: string): Promise<Who> => this.send('POST', 'session', { user, password });
  logout = (): Promise<void> => this.send('DELETE', 'session');

  tickets = (query: Query): Promise<Page<Ticket>> => this.page('tickets', query);
  ticket = (id: number): Promise<TicketDetail> => this.get(`tickets/${id}`);
  members = (id: number, cursor: string): Promise<Page<Member>> => this.page(`tickets/${id}/members`, { cursor });
  explanation = (id: number): Promise<Explanation> => this.get(`tickets/${id}/explanation`);
  acknowledge = (id: number, note: string): Promise<Ticket> => this.send('POST', `tickets/${id}/acknowledge`, { note });
  close = (id: number, note: string): Promise<Ticket> => this.send('POST', `tickets/${id}/close`, { note });

  facilities = (query: Query): Promise<Page<Facility>> => this.page('facilities', query);
  facility = (id: string): Promise<Facility> => this.get(`facilities/${encodeURIComponent(id)}`);
  readings = (id: string, query: Query): Promise<Readings> => this.get(`facilities/${encodeURIComponent(id)}/readings`, query);
  expected = (id: string, query: Query): Promise<Expected> => this.get(`facilities/${encodeURIComponent(id)}/usual`, query);
  async latest(id: string): Promise<Latest[]> {
    const body = await this.get<{ values: Latest[] | null }>(`facilities/${encodeURIComponent(id)}/latest`);
    return body.values ?? [];
  }

  windows = (query: Query): Promise<Page<Window>> => this.page('windows', query);
  beginWindow = (body: NewWindow): Promise<Window> => this.send('POST', 'windows', body);
  endWindow = (id: string): Promise<Window> => this.send('DELETE', `windows/${encodeURIComponent(id)}`);

  place = (id: string): Promise<Place> => this.get(`places/${encodeURIComponent(id)}`);
  area = (code: string): Promise<Area> => this.get(`areas/${code}`);
  rates = (query: Query): Promise<Page<Rate>> => this.page('lighting/rates', query);
  rateLamps = (query: Query): Promise<Page<LampNight>> => this.page('lighting/rates/lamps', query);
  findings = (query: Query): Promise<Page<Finding>> => this.page('lighting/findings', query);
  find = (body: NewFinding): Promise<Finding> => this.send('POST', 'lighting/findings', body);
  endFinding = (id: number, endedAt: string, note: string): Promise<Finding> => this.send('POST', `lighting/findings/${id}/end`, { ended_at: endedAt, note });
  nights = (rate: string): Promise<Night[]> => this.items('lighting/nights', { rate });
  definitions = (): Promise<Definition[]> => this.items('lighting/definitions', {});

  quarantine = (query: Query): Promise<Page<Refused>> => this.page('quarantine', query);
  gaps = (query: Query): Promise<Page<Gap>> => this.page('ledger/gaps', query);
  seen = (query: Query): Promise<Page<Seen>> => this.page('seen', query);

  private get<Body>(path: string, query: Query = {}): Promise<Body> {
    return this.call('GET', path + written(query));
  }

  private async page<Item>(path: string, query: Query): Promise<Page<Item>> {
    const body = await this.get<{ items: Item[] | null; next: string | null; total?: number }>(path, query);
    return { items: body.items ?? [], next: body.next, total: body.total ?? null };
  }

  /** A list that comes in one piece. */
  private async items<Item>(path: string, query: Query): Promise<Item[]> {
    return (await this.get<{ items: Item[] | null }>(path, query)).items ?? [];
  }

  private send<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    return this.call(method, path, body);
  }

  private async call<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const answer = await this.answer(method, path, body);
    if (answer.status === 401 && path !== 'session') this.onLoggedOut();
    if (!answer.ok) throw await problemOf(answer);
    return (answer.status === 204 ? undefined : await answer.json()) as Body;
  }

  private async answer(method: string, path: string, body: unknown): Promise<Response> {
    const headers: Record<string, string> = { Accept: 'application/json' };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (method !== 'GET' && this.csrf) headers['X-CSRF-Token'] = this.csrf;
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), patience);
    try {
      return await this.fetch(`/api/v1/${path}`, { method, headers, signal: stop.signal, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    } catch {
      throw new Problem(0, '');
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The address of a file of the API, for a link that downloads it. */
export function fileOf(path: string, query: Query): string {
  return `/api/v1/${path}${written(query)}`;
}

function written(query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '' && value !== false) given.set(name, String(value));
  }
  const text = given.toString();
  return text && `?${text}`;
}

/** Reads problem+json (RFC 9457); a body that is none leaves only the status. */
async function problemOf(answer: Response): Promise<Problem> {
  const body: unknown = await answer.json().catch(() => null);
  const told = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const said = (name: string): string => (typeof told[name] === 'string' ? (told[name] as string) : '');
  return new Problem(answer.status, said('detail'), said('code'), said('cure'), fieldsOf(told));
}

/** The refused fields of the body: body.to is "to". Where several are wrong, errors has each. */
function fieldsOf(told: Record<string, unknown>): Record<string, string> {
  const found: Record<string, string> = {};
  const note = (field: unknown, why: unknown): void => {
    if (typeof field === 'string' && typeof why === 'string' && field.startsWith('body.')) found[field.slice('body.'.length)] ??= why;
  };
  if (Array.isArray(told['errors'])) for (const e of told['errors'] as Record<string, unknown>[]) note(e['field'], e['message']);
  note(told['field'], told['detail']);
  return found;
}

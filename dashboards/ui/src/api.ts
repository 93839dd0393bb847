// The daemon's HTTP API as the board uses it. The shapes come from openapi.ts,
// which `npm run types` writes from a running daemon's /api/openapi.json.
import type { paths } from './openapi';

type Answer<P extends keyof paths, M extends 'get' | 'post'> = paths[P][M] extends {
  responses: { 200: { content: { 'application/json': infer Body } } };
}
  ? Body
  : never;
type ItemOf<P extends keyof paths> = Answer<P, 'get'> extends { items: (infer Item)[] | null } ? Item : never;

export type Who = Answer<'/api/v1/session', 'get'>;
export type Summary = Answer<'/api/v1/summary', 'get'>;
export type Facility = Answer<'/api/v1/facilities/{id}', 'get'>;
export type Latest = NonNullable<Answer<'/api/v1/facilities/{id}/latest', 'get'>['values']>[number];
export type Readings = Answer<'/api/v1/facilities/{id}/readings', 'get'>;
export type Ticket = ItemOf<'/api/v1/tickets'>;
export type TicketDetail = Ticket & Answer<'/api/v1/tickets/{id}', 'get'>;
export type Member = ItemOf<'/api/v1/tickets/{id}/members'>;
export type Refused = ItemOf<'/api/v1/quarantine'>;
export type Gap = ItemOf<'/api/v1/ledger/gaps'>;
export type Seen = ItemOf<'/api/v1/seen'>;
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
  acknowledge = (id: number, note: string): Promise<Ticket> => this.send('POST', `tickets/${id}/acknowledge`, { note });
  close = (id: number, note: string): Promise<Ticket> => this.send('POST', `tickets/${id}/close`, { note });

  facilities = (query: Query): Promise<Page<Facility>> => this.page('facilities', query);
  facility = (id: string): Promise<Facility> => this.get(`facilities/${encodeURIComponent(id)}`);
  readings = (id: string, query: Query): Promise<Readings> => this.get(`facilities/${encodeURIComponent(id)}/readings`, query);
  async latest(id: string): Promise<Latest[]> {
    const body = await this.get<{ values: Latest[] | null }>(`facilities/${encodeURIComponent(id)}/latest`);
    return body.values ?? [];
  }

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
  const said = (name: string): string => {
    const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : '';
    return typeof value === 'string' ? value : '';
  };
  return new Problem(answer.status, said('detail'), said('code'), said('cure'));
}

import { afterEach, describe, expect, it, vi } from 'vitest';
import { Api, Problem } from '../src/api';

type Call = { url: string; init: RequestInit };

/** An API whose daemon answers what the test says. */
function calling(status: number, body: unknown, type = 'application/json'): { api: Api; calls: Call[] } {
  const calls: Call[] = [];
  const api = new Api(async (url, init) => {
    calls.push({ url: String(url), init: init ?? {} });
    return new Response(status === 204 ? null : typeof body === 'string' ? body : JSON.stringify(body), { status, headers: { 'Content-Type': type } });
  });
  return { api, calls };
}
const failure = (doing: Promise<unknown>): Promise<Problem> => doing.then(() => { throw new Error('it worked'); }, (e: unknown) => e as Problem);

afterEach(() => vi.useRealTimers());

describe('the API', () => {
  it('leaves empty parameters out and escapes the rest', async () => {
    const { api, calls } = calling(200, { items: null, next: null });
    expect(await api.facilities({ q: 'a&b', kind: '', cursor: undefined, limit: 50 })).toEqual({ items: [], next: null, total: null });
    await api.facility('CAB-001:C2/x').catch(() => {});
    expect(calls.map((c) => c.url)).toEqual(['/api/v1/facilities?q=a%26b&limit=50', '/api/v1/facilities/CAB-001%3AC2%2Fx']);
  });

  it('sends the CSRF token with every change, and with nothing else', async () => {
    const { api, calls } = calling(200, {});
    api.csrf = 'secret';
    await api.acknowledge(3, 'on my way');
    await api.ticket(3);
    expect(calls.map((c) => (c.init.headers as Record<string, string>)['X-CSRF-Token'])).toEqual(['secret', undefined]);
    expect(calls[0]!.init.body).toBe('{"note":"on my way"}');
  });

  it('reads why from problem+json, also what later daemons add', async () => {
    const { api } = calling(409, { status: 409, detail: 'ticket 3: it is acknowledged', code: 'conflict', cure: 'look at it again' }, 'application/problem+json');
    const p = await failure(api.acknowledge(3, ''));
    expect([p.status, p.detail, p.code, p.cure]).toEqual([409, 'ticket 3: it is acknowledged', 'conflict', 'look at it again']);
  });

  it('names each refused field of what was sent', async () => {
    const one = calling(422, { status: 422, detail: 'it ends before it begins', code: 'invalid', cure: 'correct it', field: 'body.to' }, 'application/problem+json');
    expect((await failure(one.api.endFinding(1, '', ''))).fields).toEqual({ to: 'it ends before it begins' });
    const two = calling(422, { status: 422, detail: 'body.reason: too short', field: 'body.reason', errors: [{ field: 'body.reason', message: 'too short' }, { field: 'body.area', message: 'digits' }] }, 'application/problem+json');
    expect((await failure(two.api.endFinding(1, '', ''))).fields).toEqual({ reason: 'too short', area: 'digits' });
  });

  it('copes with a proxy that answers in HTML', async () => {
    const { api } = calling(502, '<html>Bad gateway</html>', 'text/html');
    const p = await failure(api.seen({}));
    expect([p.status, p.detail]).toEqual([502, '']);
  });

  it('tells when the session has ended, but not when a log-in fails', async () => {
    const { api } = calling(401, {});
    const out = vi.fn();
    api.onLoggedOut = out;
    await failure(api.login('admin', 'wrong'));
    expect(out).not.toHaveBeenCalled();
    await failure(api.tickets({}));
    expect(out).toHaveBeenCalledOnce();
  });

  it('does not wait for ever', async () => {
    vi.useFakeTimers();
    const api = new Api((_url, init) => new Promise((_done, fail) => init?.signal?.addEventListener('abort', () => fail(new Error('aborted')))));
    const doing = failure(api.ticket(1));
    await vi.advanceTimersByTimeAsync(15_000);
    expect((await doing).status).toBe(0);
  });
});

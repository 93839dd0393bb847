import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nextTick, ref } from 'vue';
import type { Api, Page, Ticket } from '../src/api';
import { createBoard, later, type Board } from '../src/board';
import type { Clock } from '../src/clock';
import type { Source } from '../src/live';

function ticket(id: number, state = 'open', more: Partial<Ticket> = {}): Ticket {
  return { id, state, number: `T-${id}`, severity: 'major', kind: 'manhole', facility: `MH-${id}`, facility_name: '', channel: '', summary: { zh: '', en: '' }, opened_at: null, ...more } as Ticket;
}

let listeners: Map<string, (event: { data: string }) => void>;
let source: Source;
let answers: ((page: Page<Ticket>) => void)[];
let seconds: (() => void)[];
let clock: Clock;
let board: Board;

const send = (name: string, data: unknown): void => listeners.get(name)!({ data: JSON.stringify(data) });
async function answer(items: Ticket[], next: string | null = null): Promise<void> {
  answers.shift()!({ items, next, total: null });
  await new Promise((done) => setTimeout(done));
}
const shown = (): string[] => [...board.tickets.values()].map((t) => `${t.id} ${t.state}`).sort();

beforeEach(() => {
  listeners = new Map();
  answers = [];
  seconds = [];
  clock = { now: ref(1_000_000), follow: (ms) => { clock.now.value = ms; }, each: (f) => { seconds.push(f); return () => { seconds = []; }; } };
  board = createBoard({
    api: { tickets: () => new Promise((done) => answers.push(done)) } as unknown as Api,
    clock,
    open: () => (source = { readyState: 1, onopen: null, onerror: null, addEventListener: (n, l) => listeners.set(n, l), close: () => {} }),
    onRefused: () => {},
  });
  board.start();
});
afterEach(() => vi.restoreAllMocks());

describe('the board', () => {
  it('reads every page of the list once the stream stands', async () => {
    source.onopen!();
    await answer([ticket(1)], 'more');
    await answer([ticket(2, 'acknowledged')]);
    expect(shown()).toEqual(['1 open', '2 acknowledged']);
    expect(board.loaded.value).toBe(true);
  });

  it('keeps what came while the list was being read: the answer may be older', async () => {
    source.onopen!();
    send('ticket', ticket(1, 'acknowledged'));
    send('ticket', ticket(7));
    await answer([ticket(1, 'open')]);
    expect(shown()).toEqual(['1 acknowledged', '7 open']);
  });

  it('drops what the daemon does not list any more', async () => {
    source.onopen!();
    await answer([ticket(1), ticket(2)]);
    source.onopen!();
    await answer([ticket(2)]);
    expect(shown()).toEqual(['2 open']);
  });

  it('never takes a ticket back to an earlier state', () => {
    expect(later(ticket(1, 'closed'), ticket(1, 'open')).state).toBe('closed');
    expect(later(ticket(1, 'acknowledged'), ticket(1, 'acknowledged', { owner: 'new' })).owner).toBe('new');
    expect(later(undefined, ticket(1)).state).toBe('open');
  });

  it('announces a new ticket once, and none that it knew', async () => {
    source.onopen!();
    await answer([ticket(1)]);
    send('ticket', ticket(1));
    send('ticket', ticket(2));
    send('ticket', ticket(2, 'acknowledged'));
    send('ticket', ticket(3, 'closed'));
    await nextTick();
    expect(board.opened.value.map((t) => t.id)).toEqual([2]);
  });

  it('shows a closed ticket for a minute, then lets it go', async () => {
    source.onopen!();
    await answer([ticket(1)]);
    send('ticket', ticket(1, 'closed'));
    clock.now.value += 59_000;
    seconds.forEach((f) => f());
    expect(shown()).toEqual(['1 closed']);
    clock.now.value += 2_000;
    seconds.forEach((f) => f());
    expect(shown()).toEqual([]);
  });

  it('follows the clock of the daemon, and remembers as of when it knows', () => {
    send('summary', { time: '2026-11-25T02:24:55.416+08:00', parts: [], kinds: {} });
    expect(clock.now.value).toBe(Date.parse('2026-11-24T18:24:55.416Z'));
    expect(board.asOf.value).toBe(clock.now.value);
    expect(board.link.value).toBe('open');
  });

  it('keeps the list and says why when it cannot be read', async () => {
    source.onopen!();
    await answer([ticket(1)]);
    const failing = createBoard({ api: { tickets: () => Promise.reject(new Error('away')) } as unknown as Api, clock, open: () => source, onRefused: () => {} });
    await failing.reload();
    expect(failing.trouble.value).toBeInstanceOf(Error);
    expect(failing.loaded.value).toBe(false);
    expect(shown()).toEqual(['1 open']);
  });

  it('forgets everything at log-out', async () => {
    source.onopen!();
    await answer([ticket(1)]);
    board.stop();
    expect(shown()).toEqual([]);
    expect(board.summary.value).toBeNull();
  });
});

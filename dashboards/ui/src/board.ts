// What the board knows of the city right now: the summary and every ticket that
// is not closed, held current by the live stream.
import { reactive, ref, shallowRef, type Ref } from 'vue';
import type { Api, Page, Summary, Ticket } from './api';
import type { Clock } from './clock';
import { LiveStream, type Link, type Source } from './live';
import { createReading } from './reading';

export interface Board {
  summary: Ref<Summary | null>;
  /** The browser's clock when the summary came, ms. */
  heardAt: Ref<number>;
  link: Ref<Link>;
  /** The daemon's clock when the last news came; what is shown is of then. */
  asOf: Ref<number>;
  /** Tickets by id: the open ones, and the closed ones of the last minute. */
  tickets: Map<number, Ticket>;
  /** The list was read at least once. */
  loaded: Ref<boolean>;
  /** Why the list could not be read, null when it could. */
  trouble: Ref<unknown>;
  /** Tickets that opened since the last announcement. */
  opened: Ref<Ticket[]>;
  /** The last ticket that changed, for pages that show one. */
  changed: Ref<Ticket | null>;
  start(): void;
  stop(): void;
  /** Takes a ticket over as the daemon answered it. */
  take(ticket: Ticket): void;
  /** Reads the list of tickets anew. */
  reload(): Promise<void>;
}

export interface BoardOptions {
  api: Api;
  clock: Clock;
  open: () => Source;
  /** The stream was refused: the session may have ended. */
  onRefused: () => void;
}

const closedStays = 60_000; // ms that a closed ticket stays in sight
const mostPages = 10; // of 500 tickets; a board with more is no list any more

/** How far a ticket has come; it never goes back. */
const progress: Record<string, number> = { open: 0, acknowledged: 1, closed: 2 };

/** The later of two reports of one ticket: an answer may overtake an event. */
export function later(have: Ticket | undefined, got: Ticket): Ticket {
  if (have && (progress[have.state] ?? 0) > (progress[got.state] ?? 0)) return have;
  return got;
}

export function createBoard({ api, clock, open, onRefused }: BoardOptions): Board {
  const summary = shallowRef<Summary | null>(null);
  const heardAt = ref(0);
  const link = ref<Link>('connecting');
  const asOf = ref(clock.now.value);
  const tickets = reactive(new Map<number, Ticket>());
  const closedAt = new Map<number, number>();
  const loaded = ref(false);
  const opened = shallowRef<Ticket[]>([]);
  const changed = shallowRef<Ticket | null>(null);
  let touched = new Set<number>(); // what changed while the list was being read

  const take = (got: Ticket): void => {
    const ticket = later(tickets.get(got.id), got);
    touched.add(ticket.id);
    tickets.set(ticket.id, ticket);
    if (ticket.state === 'closed' && !closedAt.has(ticket.id)) closedAt.set(ticket.id, clock.now.value);
  };
  const takeEvent = (ticket: Ticket): void => {
    const isNew = !tickets.has(ticket.id) && ticket.state === 'open';
    take(ticket);
    changed.value = ticket;
    if (isNew) opened.value = [...opened.value, ticket];
  };
  const takeSummary = (got: Summary): void => {
    summary.value = got;
    heardAt.value = Date.now();
    if (got.time) clock.follow(Date.parse(got.time));
    asOf.value = clock.now.value;
  };
  const forgetClosed = (): void => {
    for (const [id, at] of closedAt) {
      if (clock.now.value - at < closedStays) continue;
      closedAt.delete(id);
      tickets.delete(id);
    }
  };
  const { trouble, read: reload, drop } = createReading(async (current) => {
    touched = new Set();
    const found = await current(everyTicket(api));
    const there = new Set(found.map((t) => t.id));
    for (const id of tickets.keys()) {
      if (!there.has(id) && !touched.has(id) && !closedAt.has(id)) tickets.delete(id);
    }
    for (const t of found) tickets.set(t.id, later(tickets.get(t.id), t));
    loaded.value = true;
  });

  const stream = new LiveStream({
    open,
    now: Date.now,
    onEvent: (name, data) => (name === 'summary' ? takeSummary(data as Summary) : takeEvent(data as Ticket)),
    onOpen: () => void reload(),
    onLink: (now) => { link.value = now; },
    onRefused,
  });
  let unclock = (): void => {};
  return {
    summary, heardAt, link, asOf, tickets, loaded, trouble, opened, changed, take, reload,
    start() {
      stream.start();
      unclock = clock.each(() => { stream.tick(); forgetClosed(); });
    },
    stop() {
      unclock();
      stream.stop();
      drop();
      tickets.clear();
      closedAt.clear();
      summary.value = null;
      loaded.value = false;
      trouble.value = null;
      link.value = 'connecting';
    },
  };
}

async function everyTicket(api: Api): Promise<Ticket[]> {
  const found: Ticket[] = [];
  let cursor = '';
  for (let i = 0; i < mostPages; i++) {
    const page: Page<Ticket> = await api.tickets({ state: 'live', limit: 500, cursor });
    found.push(...page.items);
    if (page.next === null) break;
    cursor = page.next;
  }
  return found;
}

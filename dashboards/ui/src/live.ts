// The live stream: server-sent events from /api/v1/live, held up through
// reconnections. The daemon sends a summary every second, so silence means that
// what the page shows is no longer known to be true.

/** How the stream stands. */
export type Link = 'connecting' | 'open' | 'down';

/** What is used of an EventSource. */
export interface Source {
  readonly readyState: number;
  onopen: (() => void) | null;
  onerror: (() => void) | null;
  addEventListener(name: string, listener: (event: { data: string }) => void): void;
  close(): void;
}

/** What a stream needs and whom it tells. Callbacks run in the order of the events. */
export interface LiveOptions {
  /** Opens a connection. */
  open: () => Source;
  /** The browser's clock, ms. */
  now: () => number;
  /** An event with its JSON decoded. */
  onEvent: (name: 'summary' | 'ticket', data: unknown) => void;
  /** A connection stands: what came before it must be read anew. */
  onOpen: () => void;
  /** The link changed; since is when the last event came, or the start. */
  onLink: (link: Link, since: number) => void;
  /** The connection was refused, not broken: find out why, before it is tried again. */
  onRefused: () => void;
}

/** Silence after which the link counts as down. Four summaries are missing by then. */
export const silentAfter = 4_500;
/** Silence after which a connection is given up and opened anew: a half-open TCP never errs. */
export const deadAfter = 20_000;
const firstPause = 2_000;
const longestPause = 30_000;
const closedState = 2; // EventSource.CLOSED

/** LiveStream is one stream. Call tick every second; stop ends it for ever. */
export class LiveStream {
  private source: Source | null = null;
  private link: Link = 'connecting';
  private heard: number;
  private opened = 0;
  private retryAt = 0;
  private pause = firstPause;

  constructor(private readonly options: LiveOptions) {
    this.heard = options.now();
  }

  start(): void {
    this.heard = this.options.now();
    this.connect();
  }

  stop(): void {
    this.drop();
    this.retryAt = 0;
  }

  /** Judges silence and opens what is due. */
  tick(): void {
    const now = this.options.now();
    if (this.retryAt > 0 && now >= this.retryAt) this.connect();
    else if (this.source && now - Math.max(this.heard, this.opened) > deadAfter) this.connect();
    if (now - this.heard > silentAfter) this.become('down');
  }

  private connect(): void {
    this.drop();
    this.retryAt = 0;
    this.opened = this.options.now();
    const source = this.options.open();
    this.source = source;
    source.onopen = () => this.options.onOpen();
    source.onerror = () => this.failed(source);
    for (const name of ['summary', 'ticket'] as const) {
      source.addEventListener(name, (event) => this.take(name, event.data));
    }
    source.addEventListener('reset', () => this.options.onOpen());
  }

  private take(name: 'summary' | 'ticket', data: string): void {
    this.heard = this.options.now();
    this.pause = firstPause;
    this.become('open');
    this.options.onEvent(name, JSON.parse(data));
  }

  /** The browser retries a broken connection by itself, with Last-Event-ID; a refused one is closed. */
  private failed(source: Source): void {
    if (source !== this.source || source.readyState !== closedState) return;
    this.drop();
    this.retryAt = this.options.now() + this.pause;
    this.pause = Math.min(this.pause * 2, longestPause);
    this.options.onRefused();
  }

  private drop(): void {
    this.source?.close();
    this.source = null;
  }

  private become(link: Link): void {
    if (link === this.link) return;
    this.link = link;
    this.options.onLink(link, this.heard);
  }
}

import { beforeEach, describe, expect, it } from 'vitest';
import { deadAfter, LiveStream, silentAfter, type Link, type Source } from '../src/live';

/** A source whose other end the test plays. */
class Wire implements Source {
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  private listeners = new Map<string, (event: { data: string }) => void>();
  addEventListener(name: string, listener: (event: { data: string }) => void): void {
    this.listeners.set(name, listener);
  }
  close(): void {
    this.readyState = 2;
  }
  accept(): void {
    this.readyState = 1;
    this.onopen?.();
  }
  send(name: string, data: unknown): void {
    this.listeners.get(name)?.({ data: JSON.stringify(data) });
  }
  /** The connection broke: the browser tries again by itself. */
  breaks(): void {
    this.readyState = 0;
    this.onerror?.();
  }
  /** The daemon refused: the browser gives up. */
  refuses(): void {
    this.readyState = 2;
    this.onerror?.();
  }
}

let now: number;
let wires: Wire[];
let story: string[];
let stream: LiveStream;

/** Seconds pass, one tick each. */
function pass(ms: number): void {
  for (const end = now + ms; now < end; ) {
    now += 500;
    stream.tick();
  }
}
const wire = (): Wire => wires[wires.length - 1]!;

beforeEach(() => {
  now = 1_000_000;
  wires = [];
  story = [];
  stream = new LiveStream({
    open: () => {
      const w = new Wire();
      wires.push(w);
      return w;
    },
    now: () => now,
    onEvent: (name) => story.push(name),
    onOpen: () => story.push('read anew'),
    onLink: (link: Link, since: number) => story.push(`${link} since ${since - 1_000_000}`),
    onRefused: () => story.push('refused'),
  });
  stream.start();
});

describe('the live stream', () => {
  it('is open from the first event on, and reads anew when the connection stands', () => {
    wire().accept();
    wire().send('summary', {});
    wire().send('ticket', { id: 1 });
    expect(story).toEqual(['read anew', 'open since 0', 'summary', 'ticket']);
  });

  it('counts as down after silence, since the last event, though TCP still stands', () => {
    wire().accept();
    pass(2000);
    wire().send('summary', {});
    pass(silentAfter);
    expect(story).not.toContain('down since 2000');
    pass(500);
    expect(story[story.length - 1]).toBe('down since 2000');
  });

  it('is down, not connecting for ever, when the daemon never answers', () => {
    pass(silentAfter + 500);
    expect(story).toEqual(['down since 0']);
  });

  it('comes back when the browser reconnects, and reads anew what it missed', () => {
    wire().accept();
    wire().send('summary', {});
    wire().breaks();
    pass(6000);
    wire().accept();
    wire().send('summary', {});
    expect(wires).toHaveLength(1); // the browser's own retry, with Last-Event-ID
    expect(story.slice(-4)).toEqual(['down since 0', 'read anew', 'open since 6000', 'summary']);
  });

  it('gives a half-open connection up and opens another', () => {
    wire().accept();
    wire().send('summary', {});
    const first = wire();
    pass(deadAfter + 500);
    expect(wires).toHaveLength(2);
    expect(first.readyState).toBe(2);
    pass(deadAfter);
    expect(wires).toHaveLength(2); // the second has its own patience
    pass(500);
    expect(wires).toHaveLength(3);
  });

  it('asks why it was refused, and tries again ever more slowly', () => {
    const gaps: number[] = [];
    for (let i = 0; i < 6; i++) {
      const at = now;
      const count = wires.length;
      wire().refuses();
      while (wires.length === count) pass(500);
      gaps.push(now - at);
    }
    expect(story.filter((s) => s === 'refused')).toHaveLength(6);
    expect(gaps).toEqual([2000, 4000, 8000, 16000, 30000, 30000]);
    wire().send('summary', {});
    const at = now;
    wire().refuses();
    while (wire().readyState === 2) pass(500);
    expect(now - at).toBe(2000); // an event set the pause back
  });

  it('reads anew on reset: too much was missed to be replayed', () => {
    wire().send('summary', {});
    wire().send('reset', {});
    expect(story.slice(-1)).toEqual(['read anew']);
  });

  it('is silent after stop, also for a connection that errs late', () => {
    stream.stop();
    wire().refuses();
    pass(60_000);
    expect(wires).toHaveLength(1);
    expect(story).not.toContain('refused');
  });
});

import { describe, expect, it } from 'vitest';
import { createApp, nextTick, ref, shallowRef } from 'vue';
import type { Ticket } from '../src/api';
import { contextKey, type Context } from '../src/context';
import { createReading, useReading, type Again } from '../src/reading';

/** Questions that the test answers, in any order. */
function questions(): { ask: () => Promise<string>; asked: { answer: (text: string) => Promise<void>; refuse: (why: string) => Promise<void> }[] } {
  const asked: ReturnType<typeof questions>['asked'] = [];
  const settled = (): Promise<void> => new Promise((done) => setTimeout(done));
  const ask = (): Promise<string> => new Promise((answer, refuse) => {
    asked.push({ answer: (text) => (answer(text), settled()), refuse: (why) => (refuse(why), settled()) });
  });
  return { ask, asked };
}

describe('a reading', () => {
  it('takes the newest answer only', async () => {
    const { ask, asked } = questions();
    const story: string[] = [];
    const { trouble, read } = createReading(async (current) => { story.push(await current(ask())); });
    void read();
    void read();
    await asked[1]!.answer('second');
    await asked[0]!.answer('first');
    void read();
    void read();
    await asked[2]!.refuse('third');
    expect([story, trouble.value]).toEqual([['second'], null]);
    await asked[3]!.refuse('fourth');
    expect(trouble.value).toBe('fourth');
  });

  it('goes no further with an answer that was asked for before', async () => {
    const { ask, asked } = questions();
    const story: string[] = [];
    const { read } = createReading(async (current) => {
      story.push(await current(ask()));
      story.push(await current(ask()));
    });
    void read();
    await asked[0]!.answer('one');
    void read(); // while two is awaited
    await asked[1]!.answer('two');
    await asked[2]!.answer('three');
    expect(story).toEqual(['one', 'three']);
  });

  it('shows what went wrong until something goes well', async () => {
    const { ask, asked } = questions();
    const { trouble, read } = createReading(async (current) => { await current(ask()); });
    void read();
    await asked[0]!.refuse('the store is away');
    expect(trouble.value).toBe('the store is away');
    void read();
    expect(trouble.value).toBe('the store is away');
    await asked[1]!.answer('here it is');
    expect(trouble.value).toBe(null);
  });
});

describe('a component', () => {
  /** A component that reads, with a clock and a board that the test moves. */
  function mounted(again: Again): { reads: () => number; seconds: (n: number) => void; changed: (id: number) => Promise<void>; link: (now: string) => Promise<void>; unmount: () => void } {
    let count = 0;
    const listeners = new Set<() => void>();
    const clock = { now: ref(0), follow: () => {}, each: (f: () => void) => (listeners.add(f), () => listeners.delete(f)) };
    const board = { changed: shallowRef<Ticket | null>(null), link: ref('open') };
    const app = createApp({
      setup() {
        void useReading(async () => { count++; }, again).read();
        return () => null;
      },
    });
    app.provide(contextKey, { clock, board } as unknown as Context);
    app.mount(document.createElement('div'));
    return {
      reads: () => count,
      seconds(n) {
        for (; n > 0; n--) {
          clock.now.value += 1000;
          for (const f of listeners) f();
        }
      },
      changed(id) {
        board.changed.value = { id } as Ticket;
        return nextTick();
      },
      link(now) {
        board.link.value = now;
        return nextTick();
      },
      unmount: () => app.unmount(),
    };
  }

  it('reads again after its time, and no longer when it is gone', () => {
    let every = 5_000;
    const page = mounted({ every: () => every });
    page.seconds(14);
    expect(page.reads()).toBe(3);
    every = 0;
    page.seconds(60);
    expect(page.reads()).toBe(3);
    every = 5_000;
    page.unmount();
    page.seconds(60);
    expect(page.reads()).toBe(3);
  });

  it('reads again when its ticket changes, and when the link is back', async () => {
    const page = mounted({ about: (x) => x.id === 7 });
    await page.changed(8);
    expect(page.reads()).toBe(1);
    await page.changed(7);
    expect(page.reads()).toBe(2);
    await page.link('down');
    expect(page.reads()).toBe(2);
    await page.link('open');
    expect(page.reads()).toBe(3);
    page.seconds(600);
    expect(page.reads()).toBe(3);
  });
});

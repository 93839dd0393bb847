// A list of the API, page after page; the first is read again every so often
// while nothing more was asked for.
import { onBeforeUnmount, ref, shallowRef, type Ref, type ShallowRef } from 'vue';
import type { Page } from './api';
import { useContext } from './context';

export interface List<Item> {
  items: ShallowRef<Item[] | null>; // null until the first answer
  next: Ref<string | null>;
  trouble: ShallowRef<unknown>;
  read: () => Promise<void>;
  more: () => Promise<void>;
}

const refreshEvery = 10_000; // ms

/** every: how often the first page is read again, ms; 0 is never, for what does not change by itself. */
export function useList<Item>(get: (cursor: string) => Promise<Page<Item>>, every = refreshEvery): List<Item> {
  const { clock } = useContext();
  const items = shallowRef<Item[] | null>(null);
  const next = ref<string | null>(null);
  const trouble = shallowRef<unknown>(null);
  let turn = 0;
  let pages = 1;
  let readAt = 0;

  const load = async (cursor: string, before: Item[]): Promise<void> => {
    const mine = ++turn;
    readAt = clock.now.value;
    try {
      const page = await get(cursor);
      if (mine !== turn) return;
      items.value = [...before, ...page.items];
      next.value = page.next;
      trouble.value = null;
    } catch (error) {
      if (mine === turn) trouble.value = error;
    }
  };
  const read = (): Promise<void> => {
    pages = 1;
    return load('', []);
  };
  const more = async (): Promise<void> => {
    if (next.value === null) return;
    pages++;
    await load(next.value, items.value ?? []);
  };
  void read();
  onBeforeUnmount(clock.each(() => { if (every > 0 && pages === 1 && clock.now.value - readAt >= every) void read(); }));
  onBeforeUnmount(() => { turn++; });
  return { items, next, trouble, read, more };
}

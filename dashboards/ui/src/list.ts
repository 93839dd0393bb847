// A list of the API, page after page; the first is read again every so often
// while nothing more was asked for.
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue';
import type { Page } from './api';
import { useReading } from './reading';

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
  const items = shallowRef<Item[] | null>(null);
  const next = ref<string | null>(null);
  let cursor = ''; // of the page that is read, '' is the first
  const { trouble, read: load } = useReading(async (current) => {
    const page = await current(get(cursor));
    items.value = cursor === '' ? page.items : [...(items.value ?? []), ...page.items];
    next.value = page.next;
  }, { every: () => (cursor === '' ? every : 0) });
  const read = (): Promise<void> => {
    cursor = '';
    return load();
  };
  const more = async (): Promise<void> => {
    if (next.value === null) return;
    cursor = next.value;
    await load();
  };
  void read();
  return { items, next, trouble, read, more };
}

// Reading from the daemon: of several answers only that to the newest question
// counts, and what went wrong stands until something goes well.
import { onBeforeUnmount, shallowRef, watch, type ShallowRef } from 'vue';
import type { Ticket } from './api';
import { useContext } from './context';

/** Waits for an answer; goes no further if something newer was asked meanwhile, or nobody waits any more. */
export type Current = <T>(answer: Promise<T>) => Promise<T>;

export interface Reading {
  trouble: ShallowRef<unknown>;
  read: () => Promise<void>;
}

/** get asks, waits with current, and takes the answers over. drop has nobody wait any more. */
export function createReading(get: (current: Current) => Promise<void>): Reading & { drop: () => void } {
  const trouble = shallowRef<unknown>(null);
  let turn = 0;
  const read = async (): Promise<void> => {
    const mine = ++turn;
    const current: Current = async (answer) => {
      try {
        return await answer;
      } finally {
        if (mine !== turn) throw new Error('a late answer'); // which the catch below drops, as it does a late refusal
      }
    };
    try {
      await get(current);
      if (mine === turn) trouble.value = null;
    } catch (error) {
      if (mine === turn) trouble.value = error;
    }
  };
  return { trouble, read, drop: () => { turn++; } };
}

/** When a component reads again by itself. */
export interface Again {
  /** After how many ms; 0 is never. */
  every?: () => number;
  /** When this ticket changes; then also when the link to the daemon comes back, as changes were missed. */
  about?: (ticket: Ticket) => boolean;
}

/** The same while the component stands. */
export function useReading(get: (current: Current) => Promise<void>, { every, about }: Again = {}): Reading {
  const { board, clock } = useContext();
  const { trouble, read: once, drop } = createReading(get);
  let readAt = 0;
  const read = (): Promise<void> => {
    readAt = clock.now.value;
    return once();
  };
  if (every) onBeforeUnmount(clock.each(() => { if (every() > 0 && clock.now.value - readAt >= every()) void read(); }));
  if (about) {
    watch(board.changed, (changed) => { if (changed && about(changed)) void read(); });
    watch(board.link, (link) => { if (link === 'open') void read(); });
  }
  onBeforeUnmount(drop);
  return { trouble, read };
}

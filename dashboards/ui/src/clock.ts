// One clock for every age on the page. It follows the daemon's clock, because a
// wall screen's own may be minutes off.
import { ref, type Ref } from 'vue';

/** Clock ticks once a second while it runs. */
export interface Clock {
  /** The daemon's time, Unix ms. */
  readonly now: Ref<number>;
  /** Takes the daemon's time over. */
  follow(server: number): void;
  /** Calls back every second; the result ends that. */
  each(second: () => void): () => void;
}

export function createClock(own: () => number = Date.now): Clock {
  let ahead = 0; // of the daemon's clock before ours, ms
  const now = ref(own());
  const listeners = new Set<() => void>();
  const tick = (): void => {
    now.value = own() + ahead;
    for (const listener of listeners) listener();
  };
  setInterval(tick, 1000);
  document.addEventListener('visibilitychange', tick); // a hidden tab's timers sleep
  return {
    now,
    follow(server) {
      ahead = server - own();
      now.value = server;
    },
    each(second) {
      listeners.add(second);
      return () => listeners.delete(second);
    },
  };
}

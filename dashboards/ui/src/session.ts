// Who sits before the board.
import { computed, ref, type ComputedRef, type Ref } from 'vue';
import { Problem, type Api, type Who } from './api';

export interface Session {
  /** null when nobody is logged in. */
  who: Ref<Who | null>;
  /** May acknowledge and close. */
  acts: ComputedRef<boolean>;
  /** Asks the daemon once who holds the cookie; false when it did not answer. */
  resume(): Promise<boolean>;
  login(user: string, password: string): Promise<void>;
  logout(): Promise<void>;
  /** Forgets who was here; the daemon has done so already. */
  forget(): void;
}

const acting = ['operator', 'dispatcher', 'admin'];

export function createSession(api: Api): Session {
  const who = ref<Who | null>(null);
  const take = (found: Who | null): void => {
    who.value = found;
    api.csrf = found?.csrf ?? '';
  };
  return {
    who,
    acts: computed(() => acting.includes(who.value?.role ?? '')),
    async resume() {
      try {
        take(await api.session());
      } catch (error) {
        if (!(error instanceof Problem) || error.status !== 401) return false;
        take(null);
      }
      return true;
    },
    async login(user, password) {
      take(await api.login(user, password));
    },
    async logout() {
      await api.logout();
      take(null);
    },
    forget: () => take(null),
  };
}

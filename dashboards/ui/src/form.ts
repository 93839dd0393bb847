// A form that the daemon may refuse: what is wrong with a field stands at the
// field, and all else beneath the form.
import { computed, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue';
import { Problem } from './api';

export interface Form {
  busy: Ref<boolean>;
  /** What is wrong with each field, in the daemon's words. */
  refused: ComputedRef<Record<string, string>>;
  /** What to do about it, in the daemon's words. */
  cure: ComputedRef<string>;
  /** What is wrong and belongs to no field of the form; null for nothing. */
  trouble: ComputedRef<unknown>;
  /** Forgets what was refused. */
  clear(): void;
  /** Sends; true when the daemon has taken it. */
  send(change: () => Promise<unknown>): Promise<boolean>;
}

/** fields are those that the form shows; notFound is the one that a 404 is about. */
export function useForm(fields: string[], notFound = ''): Form {
  const busy = ref(false);
  const error: ShallowRef<unknown> = shallowRef(null);
  const refused = computed<Record<string, string>>(() => {
    if (!(error.value instanceof Problem)) return {};
    if (notFound && error.value.status === 404) return { [notFound]: error.value.detail };
    return Object.fromEntries(Object.entries(error.value.fields).filter(([name]) => fields.includes(name)));
  });
  return {
    busy,
    refused,
    cure: computed(() => (error.value instanceof Problem ? error.value.cure : '')),
    trouble: computed(() => (Object.keys(refused.value).length > 0 ? null : error.value)),
    clear: () => { error.value = null; },
    async send(change) {
      if (busy.value) return false;
      busy.value = true;
      error.value = null;
      try {
        await change();
        return true;
      } catch (e) {
        error.value = e;
        return false;
      } finally {
        busy.value = false;
      }
    },
  };
}

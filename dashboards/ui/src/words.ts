// Words in the reader's language: the catalogue, titles of the API, times.
import { createI18n, useI18n, type I18n } from 'vue-i18n';
import type { Title } from './api';
import { useContext } from './context';
import type { Language } from './preferences';
import { shortWall, span, toMs, type Instant } from './time';
import { en } from './words/en';
import { zh } from './words/zh';

export function createWords(language: Language) {
  return createI18n({ legacy: false, locale: language, fallbackLocale: 'zh', messages: { zh, en }, missingWarn: false, fallbackWarn: false });
}
export type Words = I18n;

export const tags: Record<Language, string> = { zh: 'zh-CN', en: 'en' };

export interface Speech {
  t: (key: string, named?: Record<string, unknown>) => string;
  /** The word of a catalogue group; a name that the catalogue lacks is shown as it is. */
  word: (group: string, name: string) => string;
  /** A title of the API. */
  pick: (title: Title | null | undefined, otherwise?: string) => string;
  /** "3 min ago". */
  ago: (ms: number) => string;
  /** "3 min". */
  lasting: (ms: number) => string;
  /** The city's wall clock, short. */
  at: (instant: Instant) => string;
  zone: () => string;
}

export function useWords(): Speech {
  const { t: say, te, locale } = useI18n({ useScope: 'global' });
  const { clock, board } = useContext();
  const t: Speech['t'] = (key, named) => (named ? say(key, named) : say(key));
  const zone = (): string => board.summary.value?.zone ?? 'Asia/Shanghai';
  const lasting = (ms: number): string => {
    const { unit, n } = span(ms);
    return t(`span.${unit}`, { n });
  };
  return {
    t,
    word(group, name) {
      const key = `${group}.${name.replace(/\W+/g, '_')}`;
      return te(key) ? t(key) : name;
    },
    pick(title, otherwise = '') {
      const [first, second] = locale.value === 'en' ? [title?.en, title?.zh] : [title?.zh, title?.en];
      return first || second || otherwise;
    },
    lasting,
    ago: (ms) => t('span.ago', { span: lasting(ms) }),
    at(instant) {
      const ms = toMs(instant);
      return ms === null ? t('span.never') : shortWall(ms, clock.now.value, zone());
    },
    zone,
  };
}

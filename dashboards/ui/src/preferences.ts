// What a person chose on this browser: language and theme.
import { ref, watch, type Ref } from 'vue';

export type Language = 'zh' | 'en';
export type Theme = 'auto' | 'light' | 'dark';

export interface Preferences {
  language: Ref<Language>;
  theme: Ref<Theme>;
  /** The theme in force: auto follows the system. */
  shown: Ref<'light' | 'dark'>;
}

const languageKey = 'lamplighter.language';
const themeKey = 'lamplighter.theme'; // public/theme.js reads it before the first paint

/** Chinese comes first: a browser that asks for no English gets it. */
export function firstLanguage(kept: string | null, asked: string): Language {
  if (kept === 'zh' || kept === 'en') return kept;
  return asked.toLowerCase().startsWith('en') ? 'en' : 'zh';
}

export function createPreferences(): Preferences {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const language = ref(firstLanguage(kept(languageKey), navigator.language));
  const theme = ref<Theme>(asTheme(kept(themeKey)));
  const shown = ref<'light' | 'dark'>('light');
  const apply = (): void => {
    shown.value = theme.value === 'auto' ? (dark.matches ? 'dark' : 'light') : theme.value;
    document.documentElement.dataset['theme'] = shown.value;
  };
  dark.addEventListener('change', apply);
  watch(theme, (chosen) => { keep(themeKey, chosen); apply(); });
  watch(language, (chosen) => keep(languageKey, chosen));
  apply();
  return { language, theme, shown };
}

function asTheme(text: string | null): Theme {
  return text === 'light' || text === 'dark' ? text : 'auto';
}

/** A browser that keeps nothing (private mode) is no error: the choice lasts for the visit. */
function kept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // see kept
  }
}

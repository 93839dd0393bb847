// The doorway: makes each part once and hands them to the components.
import { createApp, watch } from 'vue';
import { Api } from './api';
import App from './App.vue';
import { createBoard } from './board';
import { createClock } from './clock';
import { contextKey } from './context';
import type { Source } from './live';
import { createPreferences } from './preferences';
import { createRoutes } from './router';
import { createSession } from './session';
import { createWords } from './words';
import './style/colours.css';
import './style/base.css';
import './style/form.css';
import './style/table.css';

async function run(): Promise<void> {
  const api = new Api((input, init) => fetch(input, init));
  const clock = createClock();
  const preferences = createPreferences();
  const words = createWords(preferences.language.value);
  const session = createSession(api);
  const board = createBoard({
    api,
    clock,
    open: () => new EventSource('/api/v1/live') as Source,
    onRefused: () => void session.resume(),
  });
  api.onLoggedOut = () => session.forget();
  await session.resume();

  const router = createRoutes(session);
  watch(preferences.language, (language) => { words.global.locale.value = language; });
  watch(() => session.who.value !== null, (inside) => {
    if (inside) {
      board.start();
      return;
    }
    board.stop();
    const here = router.currentRoute.value;
    if (here.name && here.name !== 'login') void router.push({ name: 'login', query: { next: here.fullPath } });
  });
  if (session.who.value) board.start();
  createApp(App).use(words).use(router).provide(contextKey, { api, board, clock, preferences, session }).mount('#app');
}

void run();

// What main.ts makes once and every component may use.
import { inject, type InjectionKey } from 'vue';
import type { Api } from './api';
import type { Board } from './board';
import type { Clock } from './clock';
import type { Preferences } from './preferences';
import type { Session } from './session';

export interface Context {
  api: Api;
  board: Board;
  clock: Clock;
  preferences: Preferences;
  session: Session;
}

export const contextKey: InjectionKey<Context> = Symbol('lamplighter');

export function useContext(): Context {
  const context = inject(contextKey);
  if (!context) throw new Error('no context: main.ts provides it');
  return context;
}

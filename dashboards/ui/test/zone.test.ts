// The axis of a chart says the city's hours, also when the city's zone comes late.
import type uPlot from 'uplot';
import { createApp, h, nextTick, ref, shallowRef } from 'vue';
import { expect, it, vi } from 'vitest';
import LineChart from '../src/components/LineChart.vue';
import { contextKey, type Context } from '../src/context';
import { createWords } from '../src/words';

const drawn = vi.hoisted(() => [] as unknown[]);
vi.mock('uplot', () => ({ default: class { constructor(options: unknown) { drawn.push(options); } destroy(): void {} } }));

it('is drawn anew when the zone is known', async () => {
  const summary = shallowRef<{ zone: string } | null>(null);
  const context = { board: { summary }, clock: { now: ref(0) }, preferences: { shown: ref('light'), language: ref('zh') } } as unknown as Context;
  const at = Date.UTC(2026, 0, 15, 22, 30) / 1000;
  const app = createApp({ render: () => h(LineChart, { series: [[at], [1]], from: at - 3600, to: at, bounds: [], isSwitch: false, label: '' }) });
  app.use(createWords('zh')).provide(contextKey, context).mount(document.createElement('div'));
  const hours = (): string[] => {
    const { axes } = drawn[drawn.length - 1] as uPlot.Options;
    return (axes![0]!.values as (...args: unknown[]) => string[])(null, [at], 0, 0, 60);
  };
  expect(drawn).toHaveLength(1);
  summary.value = { zone: 'Europe/Lisbon' };
  await nextTick();
  expect(drawn).toHaveLength(2);
  expect(hours()).toEqual(['22:30']);
  app.unmount();
});

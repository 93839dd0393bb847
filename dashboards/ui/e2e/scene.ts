// What every scene stands on: the daemon, a page that is logged in, and a record of
// what the browser complained about.
import AxeBuilder from '@axe-core/playwright';
import { expect, test as base, type Page } from '@playwright/test';
import { Daemon } from './daemon';

export interface Look {
  language: 'zh' | 'en';
  theme: 'light' | 'dark';
  width: 390 | 1920;
}

export const looks: Look[] = (['zh', 'en'] as const).flatMap((language) => (['light', 'dark'] as const).flatMap((theme) => ([1920, 390] as const).map((width) => ({ language, theme, width }))));

interface Cast {
  /** Complaints of the browser; a scene that expects some empties it. */
  complaints: string[];
}

export const test = base.extend<Cast, { daemon: Daemon }>({
  daemon: [
    async ({}, use) => {
      const daemon = await Daemon.start();
      await use(daemon);
      await daemon.stop();
    },
    { scope: 'worker', timeout: 300_000 },
  ],
  baseURL: async ({ daemon }, use) => use(daemon.url),
  complaints: [
    async ({ page }, use) => {
      const said: string[] = [];
      page.on('console', (m) => { if (m.type() === 'error' || m.type() === 'warning') said.push(m.text()); });
      page.on('pageerror', (e) => said.push(String(e)));
      await use(said);
      // "Who am I" before the log-in is answered with 401, as it must be.
      expect(said.filter((s) => !s.includes('401 (Unauthorized)'))).toEqual([]);
    },
    { auto: true },
  ],
});
export { expect };

export async function login(page: Page, daemon: Daemon): Promise<void> {
  await page.goto('/login');
  await page.locator('input[autocomplete=username]').fill('admin');
  await page.locator('input[type=password]').fill(daemon.password);
  await page.locator('button[type=submit]').click();
  await expect(page.locator('.strip .tile').first()).toBeVisible();
}

/** Chooses language, theme and width as somebody's browser would have kept them. */
export async function wear(page: Page, look: Look): Promise<void> {
  await page.setViewportSize({ width: look.width, height: look.width === 390 ? 844 : 1080 });
  await page.evaluate(({ language, theme }) => {
    localStorage.setItem('lamplighter.language', language);
    localStorage.setItem('lamplighter.theme', theme);
  }, look);
}

/** No scroll bar at the bottom, and nothing that axe finds. */
export async function isSound(page: Page, where: string): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), `${where}: wider than the screen`).toBeLessThanOrEqual(0);
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`), where).toEqual([]);
}

import { expect, isSound, login, looks, test, wear, type Look } from './scene';

/** The four looks that differ most; the others would find nothing new on a page whose parts Live has shown. */
const differ = ({ language, theme, width }: Look): boolean => (language === 'zh') === ((theme === 'light') === (width === 1920));

for (const look of looks) {
  test(`every page is sound: ${look.language}, ${look.theme}, ${look.width}`, async ({ page, daemon }) => {
    await page.goto('/login');
    await wear(page, look);
    await page.reload();
    await expect(page.locator('html')).toHaveAttribute('data-theme', look.theme);
    await isSound(page, 'log-in');
    await login(page, daemon);
    const ticket = page.locator('.ticket .at-what a').first();
    await expect(ticket).toBeVisible({ timeout: 90_000 });
    await isSound(page, 'live');
    await page.locator('.opener').click();
    await isSound(page, 'user menu');
    await page.keyboard.press('Escape');
    if (!differ(look)) return;
    const paths = [(await ticket.getAttribute('href'))!, '/facilities?q=-0000', '/facilities/MH-00001', '/facilities/BR-001', '/places/area:350102', '/vendors', '/vendors/unknown', '/vendors/gaps', '/nowhere'];
    for (const path of paths) {
      await page.goto(path);
      await expect(page.locator('main .card').first()).toBeVisible();
      if (path.startsWith('/facilities/')) await expect(page.locator('.plot canvas')).toBeVisible();
      await isSound(page, path);
    }
  });
}

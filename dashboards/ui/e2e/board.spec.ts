import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import openapiTS, { astToString, COMMENT_HEADER } from 'openapi-typescript';
import { expect, isSound, login, test } from './scene';

const cover = '井盖开启';

test('the types are those of the daemon', async ({ daemon }) => {
  const now = COMMENT_HEADER + astToString(await openapiTS(new URL(`${daemon.url}/api/openapi.json`)));
  const kept = readFileSync(join(import.meta.dirname, '../src/openapi.ts'), 'utf8');
  expect(now.trim() === kept.trim(), 'src/openapi.ts is old: start a daemon and run `LAMPLIGHTER_URL=http://… npm run types`').toBe(true);
});

test('a shift: log in, see the cover, take it on, look at it, hand over', async ({ page, daemon }) => {
  await page.goto('/facilities/MH-00001'); // a link in a message leads through the log-in and back
  await expect(page).toHaveURL(/\/login\?next=/);
  await page.getByLabel('用户名').fill('admin');
  await page.getByLabel('密码', { exact: true }).fill('not the password');
  await page.getByRole('button', { name: '登录' }).click();
  await expect(page.getByRole('alert')).toContainText('用户名或密码不正确');
  await page.getByLabel('密码', { exact: true }).fill(daemon.password);
  await page.getByRole('button', { name: '登录' }).click();
  await expect(page).toHaveURL(/\/facilities\/MH-00001$/);

  await page.getByRole('link', { name: '实时', exact: true }).click();
  const row = page.getByRole('row').filter({ hasText: cover });
  await expect(row).toBeVisible({ timeout: 90_000 });
  await expect(row).toContainText('紧急');
  await expect(row).toContainText('待处置');
  await expect(page.locator('.strip')).toContainText('井盖');

  await row.getByRole('button', { name: /受理/ }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').fill('已通知养护班组');
  await dialog.getByRole('button', { name: '受理' }).click();
  await expect(dialog).toBeHidden();
  await expect(row).toContainText('已受理');
  await expect(row).toContainText('admin');

  await row.getByRole('link', { name: cover }).click();
  await expect(page.getByRole('table', { name: '办理过程' })).toContainText('已通知养护班组');
  await page.getByRole('main').locator('dd a').first().click();
  await expect(page.getByRole('table', { name: '最新数值' })).toContainText('倾角');
  await expect(page.getByRole('img', { name: /倾角 的曲线：\d+ 个数值/ })).toBeVisible();
  await expect(page.locator('.plot canvas')).toBeVisible();

  await page.getByRole('button', { name: '用户菜单' }).click();
  await page.getByLabel('English').check();
  await expect(page.getByRole('heading', { name: 'Newest values' })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await page.getByLabel('Dark').check();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.keyboard.press('Escape');
  await expect(page.locator('#user-menu')).toBeHidden();
  await page.getByRole('button', { name: 'User menu' }).click();
  await page.getByRole('button', { name: 'Log out' }).click();
  await expect(page.getByRole('heading', { name: 'Log in' })).toBeAttached();
  await page.goto('/');
  await expect(page).toHaveURL(/\/login/);
});

test('who is slower is told who was faster', async ({ page, daemon, complaints }) => {
  await login(page, daemon);
  const newest = page.getByRole('button', { name: /受理工单/ }).first();
  await expect(newest).toBeVisible({ timeout: 90_000 });
  const name = (await newest.getAttribute('aria-label')) ?? '';
  const number = name.replace('受理工单 ', '');
  await page.getByRole('button', { name, exact: true }).click(); // a newer one may have come before it
  const { csrf } = await (await page.request.get('/api/v1/session')).json();
  const { items } = await (await page.request.get('/api/v1/tickets?state=live&limit=500')).json();
  const { id } = (items as { id: number; number: string }[]).find((x) => x.number === number)!;
  expect((await page.request.post(`/api/v1/tickets/${id}/acknowledge`, { headers: { 'X-CSRF-Token': csrf }, data: {} })).status()).toBe(200);
  await page.getByRole('dialog').getByRole('button', { name: '受理' }).click();
  await expect(page.getByRole('dialog').getByRole('alert')).toContainText('admin 已于');
  await page.getByRole('dialog').getByRole('button', { name: '知道了' }).click();
  await expect(page.getByRole('row').filter({ hasText: number })).toContainText('已受理');
  expect(complaints.filter((c) => c.includes('409'))).toHaveLength(1);
  complaints.length = 0;
});

test('facilities are found and walked with the keyboard alone', async ({ page, daemon }) => {
  await login(page, daemon);
  await page.goto('/');
  await expect(page.locator('.strip .tile').first()).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: '跳到正文' })).toBeFocused();
  await page.goto('/facilities');
  const search = page.getByRole('searchbox');
  await expect(search).toBeFocused();
  await page.keyboard.type('SL-0000');
  await expect(page).toHaveURL(/q=SL-0000/);
  await expect(page.getByRole('row')).toHaveCount(10); // nine lamps and the head
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('link', { name: 'SL-00002' })).toBeFocused();
  await page.keyboard.press('/');
  await expect(search).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toContainText('路灯');
  await page.goBack();
  await expect(page).toHaveURL(/q=SL-0000/);
  await search.fill('no such thing');
  await expect(page.getByText('没有找到设施')).toBeVisible();
  await page.getByRole('button', { name: '清除筛选' }).click();
  await page.getByLabel('路灯').check();
  await expect(page.getByRole('cell', { name: 'SL-00001' })).toBeVisible();
  await page.getByLabel('正常').check();
  await expect(page).toHaveURL(/state=ok/);
  await page.getByLabel('全部').last().check();
  await expect(page.getByRole('cell', { name: 'SL-00001' })).toBeVisible();
  await page.getByRole('button', { name: '下一页' }).click();
  await expect(page.getByRole('cell', { name: 'SL-00001' })).toBeHidden();
  await page.getByRole('button', { name: '上一页' }).click();
  await expect(page.getByRole('cell', { name: 'SL-00001' })).toBeVisible();
});

test('a chart shows what is usual, and what that was learned from', async ({ page, daemon }) => {
  await login(page, daemon);
  // The demo is too young to have learned anything: what a rule would tell is put in its place.
  const now = Date.now();
  const at = (ago: number): string => new Date(now - ago).toISOString();
  const told = { rule: 'bridge_deviates', name: 'beyond', channel: 'displacement_mm', unit: 'mm', on: 'temperature_c', since: at(9e8), steps: 1500, at: at(0), value: 2.4, expected: 2.1, band: 0.2, residual: 0.3, r2: 0.97, step_s: 600, lag_s: 7200, needs_s: 259200, needs_steps: 30 };
  const young = { ...told, rule: 'bridge_drift', name: 'drift', steps: 7, since: at(4e6), at: null, value: null, expected: null, band: null, residual: null, r2: null };
  await page.route('**/api/v1/facilities/BR-002', async (route) => route.fulfill({ json: { ...(await (await route.fetch()).json()), usual: [told, young] } }));
  let asked = '';
  await page.route('**/api/v1/facilities/BR-002/usual?*', async (route) => {
    asked = route.request().url();
    await route.fulfill({ json: { channel: 'displacement_mm', unit: 'mm', points: [6, 5, 4, 3, 2, 1, 0].map((n) => ({ t: at(n * 600_000), expected: 2 + n / 10, band: 0.2 })) } });
  });
  await page.goto('/facilities/BR-002');
  const chart = page.getByRole('region', { name: '历史曲线' });
  await expect(chart.getByRole('list', { name: '图例' })).toContainText('往常');
  await expect(chart.getByRole('list', { name: '图例' })).toContainText('误差带（±2 个标准差）');
  await expect(chart).toContainText('共 1500 步');
  await expect(chart).toContainText('滞后 2 小时，R² 0.97');
  await expect(chart).toContainText('仍在学习：已有 7 步，至少需要 30 步并满 3 天');
  expect(asked).toContain('rule=bridge_deviates');
  await isSound(page, 'a chart with what is usual');
});

test('the tiers of a bridge have words, units and lines, also those of what was not heard yet', async ({ page, daemon }) => {
  await login(page, daemon);
  const own = [10, 20, 30].map((value, i) => ({ name: `displacement_mm_${i + 1}`, channel: 'displacement_mm', title: { zh: '位移', en: 'Displacement' }, unit: 'mm', value, tier: i + 1, way: 'both' }));
  own.push({ name: 'battery_v', channel: 'battery_v', title: { zh: '电池电压', en: 'Battery voltage' }, unit: 'V', value: 3.3, tier: 0, way: 'below' });
  await page.route('**/api/v1/facilities/BR-002', async (route) => route.fulfill({ json: { ...(await (await route.fetch()).json()), own_limits: own } }));
  await page.route('**/api/v1/facilities/BR-002/latest', async (route) => {
    const { values } = await (await route.fetch()).json();
    await route.fulfill({ json: { values: values.map((v: { channel: string }) => (v.channel === 'displacement_mm' ? { ...v, v: -25 } : v)) } });
  });
  await page.goto('/facilities/BR-002');
  const census = page.getByRole('region', { name: '台账' });
  await expect(census).toContainText('位移 黄色·注意 ±10 mm / 橙色·预警 ±20 mm / 红色·警报 ±30 mm');
  await expect(census).toContainText('电池电压 下限 3.3 V');
  const row = page.getByRole('table', { name: '最新数值' }).getByRole('row').filter({ hasText: '位移' });
  await expect(row).toContainText(/-25 mm\s+限值 -20\s+橙色·预警/);
  await isSound(page, 'a bridge with tiers');
});

test('a silent device from which only old messages come says so, and a part in trouble what to do', async ({ page, daemon }) => {
  await page.route('**/api/v1/facilities/MH-00004', async (route) => route.fulfill({ json: { ...(await (await route.fetch()).json()), state: 'unknown', last_seen: new Date(Date.now() - 3_600_000).toISOString() } }));
  await page.route('**/api/v1/live', (route) => route.fulfill({ contentType: 'text/event-stream', body: `event: summary\ndata: ${JSON.stringify({ time: new Date().toISOString(), zone: 'Asia/Shanghai', kinds: {}, tickets: { open: 0, acknowledged: 0 }, parts: [{ name: 'store-1', ok: false, trouble: 'no answer for 7 s' }], last_received: new Date().toISOString(), age_ms: 0, expect_s: 5 })}\n\n` }));
  await page.goto('/login');
  await page.getByLabel('用户名').fill('admin');
  await page.getByLabel('密码', { exact: true }).fill(daemon.password);
  await page.getByRole('button', { name: '登录' }).click();
  await expect(page.locator('.parts')).toContainText('时序库不接收数据');
  await expect(page.locator('.parts [lang=en]')).toHaveText('store-1: no answer for 7 s');
  await isSound(page, 'a part in trouble');
  await page.unroute('**/api/v1/live');
  await page.goto('/facilities/MH-00004');
  await expect(page.locator('.blind')).toContainText('迟到的旧报文');
  await isSound(page, 'a facility that sends only old messages');
});

test('a vendor reads why a message was refused', async ({ page, daemon }) => {
  await login(page, daemon);
  await page.getByRole('link', { name: '接入' }).click();
  const refused = page.getByRole('table', { name: '隔离区' });
  await expect(refused.getByRole('row').nth(1)).toContainText('E_', { timeout: 90_000 });
  await expect(refused.getByRole('row').nth(1)).toContainText('厂商'); // who has to do something
  await refused.locator('summary').first().click();
  await expect(refused.locator('pre').filter({ visible: true }).first()).toBeVisible(); // newer rows may have come before it
});

test('an address that leads nowhere says so', async ({ page, daemon, complaints }) => {
  await login(page, daemon);
  await page.goto('/no/such/page');
  await expect(page.getByRole('heading', { name: '没有这个页面' })).toBeAttached();
  await page.goto('/facilities/no-such-thing');
  await expect(page.getByRole('alert').filter({ hasText: '没有找到' })).toBeVisible();
  await page.goto('/tickets/999999');
  await expect(page.getByRole('alert').filter({ hasText: '没有找到' })).toBeVisible();
  expect(complaints.every((c) => /40[14]/.test(c))).toBe(true);
  complaints.length = 0;
});

test('when the daemon dies the page says since when, and comes back with it', async ({ page, daemon, complaints }) => {
  await login(page, daemon);
  await expect(page.locator('.link')).toHaveText('实时');
  await daemon.end('SIGKILL');
  const banner = page.getByRole('alert').filter({ hasText: '与服务器的连接已断开' });
  await expect(banner).toBeVisible();
  await expect(banner).toContainText(/自 \d\d:\d\d:\d\d 起没有新消息/);
  await expect(page.locator('.strip')).toHaveClass(/past/);
  await expect(page.locator('.parts')).toContainText('未知');
  await isSound(page, 'live while the daemon is away');
  await page.getByRole('link', { name: '设施', exact: true }).click(); // pages turn without it
  await expect(page.getByRole('alert').filter({ hasText: '服务器没有应答' })).toBeVisible();
  await page.getByRole('link', { name: '实时', exact: true }).click();
  await daemon.resume();
  await expect(banner).toBeHidden({ timeout: 60_000 });
  await expect(page.locator('.link')).toHaveText('实时');
  await expect(page.locator('.strip')).not.toHaveClass(/past/);
  complaints.length = 0;
});

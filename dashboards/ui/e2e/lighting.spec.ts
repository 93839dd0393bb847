import { readFileSync } from 'node:fs';
import { expect, isSound, login, looks, test, wear } from './scene';

const words = {
  zh: { tickets: '处置工单', title: '照明指标', course: '各期指标', places: '各处指标', night: '夜', street: '街道', road: '道路', low: '低于目标', lamps: '灯盏清单', csv: '下载 CSV', faulty: '故障', find: '登记发现', findings: '人工发现', lamp: '路灯编号', defect: '问题', refused: '没有接受', lasting: '未修复', settle: '了结', withdraw: '撤销', city: '全市', why: '立案依据', list: '清单', rate: '可感知完好率' },
  en: { tickets: 'Tickets', title: 'Lighting rates', course: 'Period by period', places: 'Place by place', night: 'Night', street: 'Street', road: 'Road', low: 'Below target', lamps: 'Lamps behind a figure', csv: 'Download CSV', faulty: 'Faulty', find: 'Enter a finding', findings: 'Findings', lamp: 'Lamp', defect: 'What is wrong', refused: 'Not accepted', lasting: 'Not mended', settle: 'Settle', withdraw: 'Withdrawn', city: 'The city', why: 'Why it was opened', list: 'List', rate: 'Observable intact rate' },
};

for (const look of looks.filter((l) => (l.language === 'zh') === (l.width === 1920) && (l.theme === 'light') === (l.width === 1920))) {
  const w = words[look.language];

  test(`a rate leads from the city to the lamps behind it: ${look.language}`, async ({ page, daemon }) => {
    await login(page, daemon);
    await wear(page, look);
    // The daemon closes the nights that it was given within its first minute or two.
    await expect.poll(async () => (await (await page.request.get('/api/v1/lighting/nights')).json()).items.length, { timeout: 360_000 }).toBeGreaterThan(90);
    await page.goto('/lighting');
    const course = page.getByRole('table', { name: w.course });
    await expect(course.getByRole('row').nth(3)).toBeVisible(); // months
    await expect(course.getByRole('img').first()).toHaveAttribute('aria-label', /%.*95%/);
    await isSound(page, 'the rates by month');

    await page.getByLabel(w.night, { exact: true }).check();
    await expect(page).toHaveURL(/period=day/);
    const places = page.getByRole('table', { name: w.places });
    const worst = places.getByRole('row').nth(1);
    await expect(worst).toContainText(w.low); // the lowest first
    await worst.getByRole('link').first().click();
    await expect(page).toHaveURL(/area=\d{6}(&|$)/);
    await expect(page.getByRole('navigation').filter({ hasText: w.city }).locator('[aria-current=page]')).not.toHaveText(w.city);
    await page.getByLabel(w.road, { exact: true }).check();
    await expect(places).toContainText('五四路');
    await isSound(page, 'the roads of a district');

    const faulty = course.getByRole('row').nth(1).locator('.at-faulty a');
    const counted = Number(await faulty.innerText());
    expect(counted).toBeGreaterThan(3);
    await faulty.click();
    await expect(page.getByRole('heading', { name: w.lamps })).toBeVisible();
    await expect(page.locator('.page-head')).toContainText(w.rate);
    const lamps = page.getByRole('table', { name: w.lamps });
    await expect(lamps.locator('tbody tr')).toHaveCount(counted); // the figure is the list
    await expect(lamps.locator('tbody tr').first()).toContainText(w.faulty);
    expect(await lamps.locator('.spells').allInnerTexts().then((all) => all.filter((x) => /[a-z]+_[a-z]+/.test(x)))).toEqual([]); // no key stands for a reason
    await isSound(page, 'the lamps behind a figure');
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: w.csv }).click()]);
    const rows = readFileSync(await file.path(), 'utf8').trim().split('\n');
    expect(rows[0]).toContain('day,facility');
    expect(new Set(rows.slice(1).map((r) => r.split(',')[1])).size).toBe(counted);
  });

  test(`a ticket of an area leads to its lamps: ${look.language}`, async ({ page, daemon }) => {
    await login(page, daemon);
    await wear(page, look);
    const low = async (): Promise<{ id: number }[]> => (await (await page.request.get('/api/v1/tickets?defect=lighting_rate_low')).json()).items;
    await expect.poll(async () => (await low()).length, { timeout: 360_000 }).toBeGreaterThan(0);
    await page.goto(`/tickets/${(await low())[0]!.id}`);
    await expect(page.getByRole('region', { name: w.why }).locator('.rule-text')).not.toContainText('；'); // one language, not both
    await isSound(page, 'a ticket of an area');
    const number = await page.locator('.page-head .dim').first().innerText();
    await page.getByRole('main').locator('dd a').first().click(); // the area's own page: its tickets and its rates
    await expect(page).toHaveURL(/\/places\/area/);
    await expect(page.getByRole('table', { name: w.tickets, exact: true })).toContainText(number);
    await expect(page.getByRole('table', { name: w.title }).getByRole('row').nth(1)).toContainText('%');
    await isSound(page, 'an area');
    await page.goBack();
    await page.getByRole('region', { name: w.why }).getByRole('link', { name: w.list }).click();
    await expect(page.getByRole('table', { name: w.lamps }).locator('tbody tr').first()).toBeVisible();
  });

  test(`a finding is refused at its field, entered and withdrawn: ${look.language}`, async ({ page, daemon, complaints }) => {
    await login(page, daemon);
    await wear(page, look);
    const lamp = look.language === 'zh' ? 'SL-00011' : 'SL-00012';
    await page.goto(`/facilities/${lamp}`);
    await page.getByRole('link', { name: w.find }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog.getByLabel(w.lamp, { exact: true })).toHaveValue(lamp);
    await dialog.getByLabel(w.lamp, { exact: true }).fill('MH-00001');
    await dialog.getByLabel(w.defect, { exact: true }).fill('leaning');
    await dialog.getByRole('button', { name: w.find }).click();
    await expect(dialog.getByLabel(w.lamp, { exact: true })).toHaveAttribute('aria-invalid', 'true');
    await expect(dialog.locator('.form-field.refused')).toContainText(w.refused);
    await isSound(page, 'the refused finding');
    await dialog.getByLabel(w.lamp, { exact: true }).fill(lamp);
    await dialog.getByRole('button', { name: w.find }).click();
    await expect(dialog).toBeHidden();
    const row = page.getByRole('table', { name: w.findings }).getByRole('row').filter({ hasText: lamp });
    await expect(row).toContainText(w.lasting);
    await row.getByRole('button', { name: new RegExp(w.settle) }).click();
    await dialog.getByLabel(w.withdraw, { exact: true }).check();
    await isSound(page, 'settling a finding');
    await dialog.getByRole('button', { name: w.settle, exact: true }).click();
    await expect(row).toContainText(w.withdraw);
    await isSound(page, 'findings');
    expect(complaints.filter((c) => c.includes('422'))).toHaveLength(1);
    complaints.length = 0;
  });
}

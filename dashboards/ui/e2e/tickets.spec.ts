import { expect, isSound, login, looks, test, wear } from './scene';

interface Listed {
  id: number;
  defect: string;
}

/** The id of a ticket of a defect; the demo opens one of each in its first minute. */
async function ticketOf(page: import('@playwright/test').Page, defect: string): Promise<number> {
  let found: Listed | undefined;
  await expect.poll(async () => {
    const { items } = await (await page.request.get(`/api/v1/tickets?defect=${defect}`)).json();
    found = (items as Listed[])[0];
    return found !== undefined;
  }, { timeout: 90_000 }).toBe(true);
  return found!.id;
}

const words = {
  zh: { why: '立案依据', values: '判定时的数值', rule: '规则默认限值', held: '成立时间', version: '版本', members: '同一原因的设施', tickets: '处置工单', historic: '历史', only: '只看历史', none: '没有保存立案依据', not: '不看历史', closed: '已结案', inside: '其中设施的未结工单' },
  en: { why: 'Why it was opened', values: 'Values that decided', rule: 'the rule’s default', held: 'Held since', version: 'version', members: 'Facilities behind the same cause', tickets: 'Tickets', historic: 'Historic', only: 'Only historic', none: 'Nothing is kept of why', not: 'Not historic', closed: 'Closed', inside: 'Tickets not closed in it' },
};

for (const look of looks.filter((l) => (l.language === 'zh') === (l.width === 1920) && (l.theme === 'light') === (l.width === 1920))) {
  const w = words[look.language];

  test(`a ticket says why it was opened: ${look.language}`, async ({ page, daemon }) => {
    await login(page, daemon);
    await wear(page, look);
    await page.goto(`/tickets/${await ticketOf(page, 'cover_displaced')}`);
    const why = page.getByRole('region', { name: w.why });
    await expect(why).toContainText('tilt_deg > limit_tilt_deg');
    await expect(why).toContainText(w.held);
    await expect(why).toContainText(new RegExp(`${w.version} [0-9a-f]{8}`));
    const values = page.getByRole('table', { name: w.values });
    await expect(values.getByRole('row').filter({ hasText: 'tilt_deg' })).toContainText(w.rule);
    await expect(values.getByRole('row').filter({ hasText: 'tilt_deg' }).locator('time')).toBeVisible();
    await isSound(page, 'a ticket of a cover');

    await page.goto(`/tickets/${await ticketOf(page, 'circuit_silent')}`);
    await expect(why).toContainText('comm_lost');
    await expect(page.getByRole('table', { name: w.members }).getByRole('row').nth(3)).toBeVisible();
    await isSound(page, 'a ticket of a common cause');

    await page.goto('/places/CAB-001'); // of the demo's dark circuit
    await expect(page.getByRole('region', { name: w.inside }).getByRole('row').filter({ hasText: 'CAB-001:C2' })).toBeVisible();
    await isSound(page, 'a cabinet with tickets in it');
  });

  test(`all tickets are listed and filtered, historic ones with a badge: ${look.language}`, async ({ page, daemon }) => {
    await login(page, daemon);
    await wear(page, look);
    await page.goto('/tickets');
    await expect(page.getByRole('table', { name: w.tickets }).getByRole('row').nth(1)).toBeVisible();
    await page.getByLabel(w.historic, { exact: true }).selectOption({ label: w.only });
    await expect(page).toHaveURL(/historic=true/);
    const badge = page.locator('.at-what .chip');
    await expect(page.getByRole('table', { name: w.tickets }).locator('tbody tr')).toHaveCount(1);
    await expect(badge).toHaveText(w.historic);
    await isSound(page, 'historic tickets');
    await page.getByLabel(w.historic, { exact: true }).selectOption({ label: w.not });
    await expect(page).toHaveURL(/historic=false/);
    await expect(badge).toHaveCount(0);
    await expect(page.getByRole('table', { name: w.tickets }).locator('tbody tr').first()).toBeVisible();
    await page.goBack();
    await expect(badge).toHaveText(w.historic);
    await page.getByRole('table', { name: w.tickets }).locator('.at-what a').click();
    await expect(page.locator('.page-head .chip').last()).toHaveText(w.historic);
    await expect(page.getByRole('region', { name: w.why })).toContainText(w.none);
    await isSound(page, 'a historic ticket');
  });
}

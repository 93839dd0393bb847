import { expect, isSound, login, looks, test, wear } from './scene';

const words = {
  zh: { begin: '开始维护', facility: '设施编号', to: '结束时间', reason: '原因', feeder: '馈线', circuit: '回路', cabinet: '配电柜', now: '进行中', over: '已结束', end: '结束维护', refused: '没有接受', table: '维护窗口', force: '当前维护窗口', standing: '维护', since: '始于', none: '没有未开始的维护' },
  en: { begin: 'Begin maintenance', facility: 'Facility', to: 'To', reason: 'Reason', feeder: 'Feeder', circuit: 'Circuit', cabinet: 'Cabinet', now: 'Now', over: 'Over', end: 'End it', refused: 'Not accepted', table: 'Maintenance windows', force: 'Windows in force', standing: 'Maintenance', since: 'since', none: 'No maintenance to come' },
};

for (const look of looks.filter((l) => (l.language === 'zh') === (l.width === 1920) && (l.theme === 'light') === (l.width === 1920))) {
  const w = words[look.language];
  const facility = look.language === 'zh' ? 'MH-00031' : 'MH-00032';

  test(`a window is begun, refused at its field, seen at the facility and ended: ${look.language}`, async ({ page, daemon, complaints }) => {
    await login(page, daemon);
    await wear(page, look);
    await page.goto(`/facilities/${facility}`);
    await expect(page.locator('.page-head')).toContainText(w.since);
    await page.getByRole('link', { name: w.begin }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog.getByLabel(w.facility, { exact: true })).toHaveValue(facility);
    await isSound(page, 'the form');

    await dialog.getByLabel(w.reason, { exact: true }).fill('更换井盖');
    const usual = await dialog.getByLabel(w.to, { exact: true }).inputValue();
    await dialog.getByLabel(w.to, { exact: true }).fill('2020-01-01T08:00');
    await dialog.getByRole('button', { name: w.begin }).click();
    await expect(dialog.getByLabel(w.to, { exact: true })).toHaveAttribute('aria-invalid', 'true');
    await expect(dialog.locator('.form-field.refused')).toHaveCount(1);
    await expect(dialog.locator('.form-field.refused')).toContainText(w.refused);
    await isSound(page, 'the refused form');
    await dialog.getByLabel(w.to, { exact: true }).fill(usual);
    await dialog.getByLabel(w.circuit, { exact: true }).fill('C1');
    await dialog.getByRole('button', { name: w.begin }).click();
    await expect(dialog.getByLabel(w.cabinet, { exact: true })).toHaveAttribute('aria-invalid', 'true'); // a circuit of which cabinet
    await dialog.getByLabel(w.circuit, { exact: true }).fill('');
    await dialog.getByLabel(w.feeder, { exact: true }).fill('F-9');
    await dialog.getByRole('button', { name: w.begin }).click();
    await expect(dialog.getByLabel(w.feeder, { exact: true })).toHaveAttribute('aria-invalid', 'true'); // the census has none
    await dialog.getByLabel(w.feeder, { exact: true }).fill('');
    await dialog.getByRole('button', { name: w.begin }).click();
    await expect(dialog).toBeHidden();
    const row = page.getByRole('table', { name: w.table }).getByRole('row').filter({ hasText: facility });
    await expect(row).toContainText(w.now);
    await expect(row).toContainText('更换井盖');
    await page.goto('/windows?state=waiting');
    await expect(page.locator('.empty')).toHaveText(w.none); // nothing of what is watched: one is in force
    await page.goto('/windows?state=now');

    await row.getByRole('link', { name: facility }).click();
    await expect(page.getByRole('region', { name: w.force })).toContainText('更换井盖');
    await expect(page.locator('.page-head .mark')).toHaveText(w.standing);
    await isSound(page, 'the facility under maintenance');
    await page.getByRole('region', { name: w.force }).getByRole('button', { name: new RegExp(w.end.slice(0, 3)) }).click();
    await page.getByRole('dialog').getByRole('button', { name: w.end }).click();
    await expect(page.getByRole('region', { name: w.force })).toBeHidden();
    await page.goto('/windows?state=over');
    await expect(row).toContainText(w.over);
    await expect(row).toContainText('admin');
    await isSound(page, 'windows that are over');
    expect(complaints.filter((c) => c.includes('422'))).toHaveLength(3);
    complaints.length = 0;
  });
}

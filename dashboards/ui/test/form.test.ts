import { describe, expect, it } from 'vitest';
import { Problem } from '../src/api';
import { useForm } from '../src/form';

const refuse = (status: number, fields: Record<string, string>): (() => Promise<never>) => () => Promise.reject(new Problem(status, 'detail', '', 'cure', fields));

describe('a form', () => {
  it('shows what was refused at its field, and all else beneath', async () => {
    const form = useForm(['to']);
    expect(await form.send(refuse(422, { to: 'too late' }))).toBe(false);
    expect([form.refused.value, form.trouble.value, form.cure.value]).toEqual([{ to: 'too late' }, null, 'cure']);
    await form.send(refuse(422, { elsewhere: 'wrong' }));
    expect(form.refused.value).toEqual({});
    expect(form.trouble.value).toBeInstanceOf(Problem);
    form.clear();
    expect(form.trouble.value).toBeNull();
  });

  it('takes what was not found for the field that names it', async () => {
    const form = useForm(['facility'], 'facility');
    await form.send(refuse(404, {}));
    expect(form.refused.value).toEqual({ facility: 'detail' });
  });

  it('sends once at a time', async () => {
    const form = useForm([]);
    let end = (): void => {};
    const first = form.send(() => new Promise<void>((done) => { end = done; }));
    expect([form.busy.value, await form.send(() => Promise.resolve())]).toEqual([true, false]);
    end();
    expect([await first, form.busy.value]).toEqual([true, false]);
  });
});

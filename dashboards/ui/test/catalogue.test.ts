// The catalogue is whole: the same keys in both languages with the same
// parameters, none unused, none missing, and no text outside of it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'vue/compiler-sfc';
import { describe, expect, it } from 'vitest';
import { partOf } from '../src/parts';
import { isSwitchChannel } from '../src/quantity';
import { en } from '../src/words/en';
import { zh } from '../src/words/zh';

type Tree = { [key: string]: string | Tree };

function flat(tree: Tree, under = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') found.set(under + key, value);
    else for (const [k, v] of flat(value, `${under}${key}.`)) found.set(k, v);
  }
  return found;
}

const src = join(process.cwd(), 'src');
const files = (readdirSync(src, { recursive: true }) as string[]).filter((f) => /\.(vue|ts)$/.test(f) && !f.startsWith('words/') && f !== 'openapi.ts');
const sources = files.map((name) => ({ name, text: readFileSync(join(src, name), 'utf8') }));
const keys = flat(zh);

/** Keys that a source names, and groups whose member is chosen at run time. */
function uses(text: string): { exact: string[]; groups: string[] } {
  const exact = [...text.matchAll(/['"`]([a-z]\w*\.[A-Za-z]\w*)['"`]/g)].map((m) => m[1]!);
  const groups = [...text.matchAll(/\bt\(`([a-z]\w*\.[a-z]*)\$\{/g), ...text.matchAll(/\b(?:word)\(['"](\w+)['"]/g)].map((m) => (m[1]!.includes('.') ? m[1]! : `${m[1]}.`));
  return { exact, groups };
}

describe('the catalogue', () => {
  it('has the same keys in both languages', () => {
    expect([...flat(en).keys()]).toEqual([...keys.keys()]);
  });

  it('has the same parameters in both languages, and no empty text', () => {
    const parameters = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!).sort();
    for (const [key, text] of flat(en)) {
      expect(parameters(text), key).toEqual(parameters(keys.get(key)!));
      expect(text.trim(), key).not.toBe('');
      expect(keys.get(key)!.trim(), key).not.toBe('');
    }
  });

  it('has every key that is used', () => {
    const asked = sources.flatMap(({ name, text }) => [...text.matchAll(/\bt\('([\w.]+)'/g)].map((m) => ({ name, key: m[1]! })));
    expect(asked.length).toBeGreaterThan(100);
    expect(asked.filter(({ key }) => !keys.has(key))).toEqual([]);
  });

  it('has no key that nobody uses', () => {
    const exact = new Set(sources.flatMap((s) => uses(s.text).exact));
    const groups = [...new Set(sources.flatMap((s) => uses(s.text).groups))];
    // StatusMark takes its group as a property.
    for (const [, group] of sources.flatMap((s) => [...s.text.matchAll(/group="(\w+)"/g)])) groups.push(`${group}.`);
    expect([...keys.keys()].filter((k) => !exact.has(k) && !groups.some((g) => k.startsWith(g)))).toEqual([]);
  });
});

const root = join(process.cwd(), '../..');

/** What a source of the daemon names. */
function named(file: string, pattern: RegExp): string[] {
  return [...readFileSync(join(root, file), 'utf8').matchAll(pattern)].map((m) => m[1]!);
}

describe('refusals', () => {
  it('have a word and a cure for each code', () => {
    const codes = named('devices/refusal.go', /Code = "(\w+)"/g);
    expect(codes.length).toBeGreaterThan(9);
    expect(codes.filter((c) => !keys.has(`code.${c}`) || !keys.has(`codeCure.${c}`))).toEqual([]);
  });

  it('have a word and a cure for each reason to turn a device away', () => {
    const reasons = named('ingest/broker/identify.go', /&no\{[^"}]*"([^"]+)"/g).map((r) => r.replace(/\W+/g, '_')); // as word() does
    expect(new Set(reasons).size).toBe(Object.keys(zh.turnedAway).length);
    expect(reasons.filter((r) => !keys.has(`turnedAway.${r}`) || !keys.has(`turnedAwayCure.${r}`))).toEqual([]);
  });
});

describe('the parts of the daemon', () => {
  it('have a word for each, and for its trouble', () => {
    const names = ['ingest/glue.go', 'ingest/sources.go'].flatMap((f) => named(f, /Part\{+Name: (?:fmt\.Sprintf\()?"([^"]+)"/g)).map((n) => partOf(n.replace('%d', '0').replace(/ $/, ' x')));
    expect(names).toHaveLength(6);
    expect(names.map((n) => n.replace(/\W+/g, '_')).filter((n) => !keys.has(`part.${n}`) || !keys.has(`trouble.${n}`))).toEqual([]);
  });
});

describe('the channels that are yes or no', () => {
  it('are shown so', () => {
    const names = ['devices/common.go', 'devices/manhole/manhole.go', 'devices/streetlight/streetlight.go'].flatMap((f) => named(f, /Name: "(\w+)", Type: (?:devices\.)?Bool/g));
    expect(names.length).toBeGreaterThan(14);
    expect(names.filter((n) => !isSwitchChannel(n))).toEqual([]);
  });
});

describe('the rules that are shipped', () => {
  it('have a word for each', () => {
    const files = ['rules/default/default.yml', ...readdirSync(join(root, 'deploy/rules')).filter((f) => !f.includes('.test.')).map((f) => `deploy/rules/${f}`)];
    const names = files.flatMap((f) => [...readFileSync(join(root, f), 'utf8').matchAll(/^ *- name: (\w+)/gm)].map((m) => m[1]!));
    expect(names.length).toBeGreaterThan(40);
    expect(names.filter((n) => !keys.has(`defect.${n}`))).toEqual([]); // in English too: the keys are the same
  });
});

interface Node {
  type: number;
  content?: string | Node;
  children?: Node[];
  props?: { type: number; name: string; value?: { content: string } }[];
  loc: { start: { line: number } };
}

const textNode = 2;
const spoken = ['alt', 'title', 'label', 'lead', 'placeholder', 'aria-label', 'aria-description'];

/** Text that a template says itself instead of asking the catalogue. */
function raw(node: Node): string[] {
  const found: string[] = [];
  if (node.type === textNode && typeof node.content === 'string' && /[\p{L}]/u.test(node.content)) found.push(`${node.loc.start.line}: ${node.content.trim()}`);
  for (const p of node.props ?? []) {
    if (p.type === 6 && spoken.includes(p.name) && /[\p{L}]/u.test(p.value?.content ?? '')) found.push(`${node.loc.start.line}: ${p.name}="${p.value!.content}"`);
  }
  for (const child of node.children ?? []) found.push(...raw(child));
  return found;
}

describe('templates', () => {
  it.each(sources.filter((s) => s.name.endsWith('.vue')))('$name holds no text of its own', ({ text }) => {
    const ast = parse(text).descriptor.template?.ast as unknown as Node;
    expect(raw(ast)).toEqual([]);
    expect(text.match(/[\u4e00-\u9fff]/g)).toBeNull();
  });
});

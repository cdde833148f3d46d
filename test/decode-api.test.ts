/** The public interface of packages/decode: its examples run, and a record survives the way to a worker. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as api from '@syndrome/decode/index.ts';
import { SETTINGS } from '@syndrome/decode/outlook/context.ts';

const DECODE = join(import.meta.dirname, '../packages/decode');
const ENTRY = readFileSync(join(DECODE, 'src/index.ts'), 'utf8');

/** Runs lines of code; one that ends in a comment is an expression, and the comment its value. */
function runExample(code: string): void {
  const lines = code.split('\n').map(line => {
    const [, expression, value] = /^(.*?);? \/\/ (.+)$/.exec(line) ?? [];
    return expression === undefined ? line : `check((${expression}), (${value}));`;
  });
  const names = Object.keys(api);
  // eslint-disable-next-line no-new-func, typescript/no-implied-eval
  const run = new Function('check', ...names, lines.join('\n')) as (...args: unknown[]) => void;
  run((found: unknown, expected: unknown) => expect(found).toEqual(expected), ...Object.values(api));
}

/** The code of the `@example` above a function. */
function exampleOf(name: string, source: string): string | undefined {
  const [before = ''] = source.split(new RegExp(`^export (?:function|const|class) ${name}\\b`, 'm'));
  const comment = before.slice(before.lastIndexOf('/**'));
  const [, code] = /@example\n([\s\S]*?)\n? *\*\//.exec(comment) ?? [];
  return code?.replace(/^ *\* ?/gm, '');
}

const MEMORY = {
  type: 'a5bc1114-6f64-4ede-b863-3e83ed7c83b1',
  severity: 'recoverable',
  revision: 0x300,
  flags: 0,
  body: { kind: 'memory', physicalAddress: 0x5000_0000n },
} as const;

describe('examples', () => {
  const exported = [...ENTRY.matchAll(/^export \{([^}]+)\} from '\.\/([^']+)';/gm)].flatMap(
    ([, names = '', file = '']) => names.split(',').map(name => [name.trim(), file] as const),
  );
  const functions = exported.filter(([name]) => typeof (api as Record<string, unknown>)[name] === 'function');

  test.each(functions)('%s', (name, file) => {
    const example = exampleOf(name, readFileSync(join(DECODE, 'src', file), 'utf8'));
    expect(example, `the docstring of ${name} has no @example`).toMatch(/ \/\/ /);
    runExample(example ?? '');
  });

  test('README', () => {
    const [, code = ''] =
      /```js\nimport [^\n]+\n([\s\S]+?)```/.exec(readFileSync(join(DECODE, 'README.md'), 'utf8')) ?? [];
    expect(code).toContain('//');
    runExample(code);
  });
});

test.each([
  ['a machine check', 'status=0xbd80000000100134 mcgstatus=7 addr=0x1234000 misc=0x8c vendor=intel'],
  ['one of a log without a bank', 'Hardware event.\nSTATUS 9c00000000000135 MCGSTATUS 0\n'],
  ['an abort', 'esr=0x92000410 far=0xffff80001000'],
  ['a page', '[    1.0] Memory failure: 0x1234: recovery action for dirty LRU page: Recovered\n'],
  ['a firmware record', api.encodeCper({ kind: 'cper', severity: 'recoverable', sections: [MEMORY] })],
])('%s crosses a worker and comes back', (_, input) => {
  const { records } = api.decode(input);
  expect(records.length).toBeGreaterThan(0);
  for (const record of records) {
    const back = api.recordOf(structuredClone(api.dataOf(record)));
    expect(api.stringify(api.toData(back, { outlook: true }))).toBe(
      api.stringify(api.toData(record, { outlook: true })),
    );
    expect(api.toText(back)).toEqual(api.toText(record));
  }
});

test('settings list their values', () => {
  expect(api.settings().map(s => s.name)).toEqual(SETTINGS);
  for (const { kind, values } of api.settings()) expect(values.length > 0).toBe(kind === 'words' || kind === 'yes-no');
});

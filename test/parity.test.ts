/** docs/parity.md holds what the machine tests of both architectures have seen, side by side. `UPDATE_GOLDEN=1` writes its table. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Story } from './parity.ts';

const DOC = join(import.meta.dirname, '../docs/parity.md');
const stories = ['x86-64', 'arm64'].map(
  arch => JSON.parse(readFileSync(join(import.meta.dirname, `golden/parity-${arch}.json`), 'utf8')) as Story,
);
const [x86 = {}, arm = {}] = stories;

/** What both say stands once. */
function table(): string {
  const cell = (text = ''): string => text.replaceAll('|', '\\|');
  const rows = Object.keys(x86).map(what => {
    const [left, right] = [cell(x86[what]), cell(arm[what])];
    return `| ${what} | ${left} | ${left === right ? 'the same' : right} |`;
  });
  return ['| what | x86-64 | arm64 |', '|---|---|---|', ...rows].join('\n');
}

test('the table of the docs is what the machine tests have seen', () => {
  const doc = readFileSync(DOC, 'utf8');
  const [, before = '', after = ''] = /^([^]*?)\| what \| x86-64 [^]*?\n\n([^]*)$/.exec(doc) ?? [];
  const wanted = `${before}${table()}\n\n${after}`;
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(DOC, wanted);
  else expect(doc).toBe(wanted);
});

test('both tell the same of everything but who saw it, and what their VMM can', () => {
  const differs = Object.keys(x86).filter(what => x86[what] !== arm[what]);
  expect(Object.keys(arm)).toEqual(Object.keys(x86));
  expect(differs).toEqual([
    'witnesses of them',
    'frame and guest address known',
    'decided at the first',
    'how grave that is',
    'pages taken out of the guest',
  ]);
});

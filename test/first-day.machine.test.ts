/** The chapter of docs/supervisor.md that a reader copies into a shell: it runs as it stands there, and prints what is shown. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { testQemu } from '@syndrome/qemu/qmp/testing/qemu.ts';
import { afterAll, expect, test } from 'vitest';
import { Sandbox } from './program.ts';

const ROOT = join(import.meta.dirname, '..');
const sandbox = new Sandbox();
afterAll(() => sandbox.remove());

const quote = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;
/** What differs from run to run: times, and the registers that the injector chose for the CPU at hand. */
const masked = (text: string): string =>
  text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/ +\d+ ms/g, ' N ms')
    // Whether the address comes with the notice or behind it is a matter of moments.
    .replaceAll(/(address N ms .*)(?:poisoned|located)/g, '$1TOLD')
    .replaceAll(/mce .*0x1234000 \w+/g, 'MCE');

test('a first day on a laptop, as docs/supervisor.md has it', { timeout: 240_000 }, async () => {
  const doc = readFileSync(join(ROOT, 'docs/supervisor.md'), 'utf8');
  const [, chapter = ''] = /^## A first day on your laptop\n([\s\S]*?)^## /m.exec(doc) ?? [];
  const [, script = '', shown = ''] = /^```sh\n([\s\S]*?)^```$[\s\S]*?^```\n([\s\S]*?)^```$/m.exec(chapter) ?? [];
  const bin = join(sandbox.dir, 'bin');
  mkdirSync(bin);
  symlinkSync(join(ROOT, 'bin/syndrome'), join(bin, 'syndrome'));
  const qemu = (await testQemu('x86_64')).map(quote).join(' ');
  writeFileSync(join(bin, 'qemu-system-x86_64'), `#!/bin/sh\nexec ${qemu} "$@"\n`, { mode: 0o700 });
  const { status, stdout, stderr } = spawnSync('bash', ['-e', '-c', script], {
    env: { ...sandbox.env, HOME: sandbox.dir, PATH: `${bin}${delimiter}${process.env['PATH']}` },
    encoding: 'utf8',
    timeout: 200_000,
  });
  expect(status, stderr).toBe(0);
  const printed = masked(stdout);
  const lines = masked(shown)
    .split('\n')
    .filter(line => !/^(?:\$|>|$)/.test(line));
  expect(lines.length).toBeGreaterThan(8);
  for (const line of lines) expect(printed.split('\n')).toContain(line);
  // Each notice is one line of JSON, as the chapter says.
  const notices = readFileSync(join(sandbox.dir, 'gameday/notices.txt'), 'utf8').trim().split('\n');
  expect(notices.map(line => (JSON.parse(line) as { type: string }).type)).toContain('syndrome.vm.memory.poisoned.v1');
  await sandbox.clean();
});

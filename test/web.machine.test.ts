/** `syndrome web` in a real browser, while `syndrome run` runs: the run is followed as it goes on. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { TestBrowser } from '@syndrome/web/testing/browser.ts';
import { Sandbox } from './program.ts';

const tests = TestBrowser.ofTests();
const sandbox = new Sandbox();
afterAll(async () => {
  await sandbox.clean();
  sandbox.remove();
});

test('a run is followed from its first line to its verdict, by the link of --open', async () => {
  mkdirSync(join(sandbox.dir, 'bin'));
  writeFileSync(join(sandbox.dir, 'bin/xdg-open'), `#!/bin/sh\necho "$@" > ${sandbox.dir}/asked\n`, { mode: 0o755 });
  sandbox.env['PATH'] = `${join(sandbox.dir, 'bin')}:${process.env['PATH']}`;
  const server = sandbox.start('web', '--open');
  try {
    await server.until('The link is good for one browser');
    const asked = join(sandbox.dir, 'asked');
    await expect.poll(() => readFileSync(asked, 'utf8').trim()).toMatch(/open\.html$/);
    // As a desktop opens it: from the file, which leads on to the server.
    const { page } = await tests.browser.visit(`file://${readFileSync(asked, 'utf8').trim()}`, { online: true });
    await page.waitForSelector('.runs');
    expect(page.url()).not.toContain('token');
    expect(await page.textContent('.runs')).toContain('No runs yet');

    const run = sandbox.start('run', 'intel-ce-logged', '--cold', '--quiet');
    await page.waitForSelector('.file-row >> text=RUNNING', { timeout: 120_000 });
    await page.click('.file-row');
    await page.waitForSelector('.verdict-running');
    // It grows by itself, and is judged at its end.
    const count = (): Promise<string | null> => page.textContent('.head .numbers');
    const first = await count();
    await expect.poll(count, { timeout: 120_000 }).not.toBe(first);
    expect(await run.ended).toMatchObject({ code: 0 });
    await page.waitForSelector('.verdict-pass', { timeout: 30_000 });
    const [name = ''] = readdirSync(join(sandbox.dir, 'state/traces'));
    const lines = readFileSync(join(sandbox.dir, 'state/traces', name), 'utf8')
      .trimEnd()
      .split('\n');
    expect(await count()).toContain(`${(lines.length - 1).toLocaleString('en')} events`);
    expect(await page.textContent('.head')).not.toContain('E_LAB_TRACE');
  } finally {
    server.child.kill('SIGTERM');
    expect(await server.ended).toMatchObject({ code: 0 });
  }
});

test('a matrix is kept as it is measured, and opens with the traces behind its cells', async () => {
  const matrix = await sandbox.run('matrix', 'intel-ce-logged', '--guest-kernel', 'newest', '--jobs', '1');
  expect(matrix.code).toBe(0);
  const server = sandbox.start('web');
  let said = '';
  server.child.stdout?.on('data', chunk => (said += String(chunk)));
  try {
    await server.until('The link is good for one browser');
    const { page } = await tests.browser.visit(said.trim());
    await page.waitForSelector('.file-row >> text=1 cell over kernels, 0 failed', { timeout: 30_000 });
    await page.click('.file-row >> text=1 cell over kernels, 0 failed');
    await page.waitForSelector('.matrix-table');
    await page.keyboard.press('o');
    await page.waitForSelector('.lanes canvas');
    await expect.poll(() => page.title()).toBe('PASS intel-ce-logged · Syndrome');
  } finally {
    server.child.kill('SIGTERM');
    await server.ended;
  }
});

/** What is published, in a real browser: pages that the installed program writes, and pages of others over the installed library. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessFaults, TestBrowser } from '@syndrome/web/testing/browser.ts';
import { served } from '@syndrome/web/testing/plain-server.ts';
import { Published } from './published.ts';

const ROOT = join(import.meta.dirname, '..');
const published = new Published();
const tests = TestBrowser.ofTests();
beforeAll(() => published.build());
afterAll(() => published.remove());

const LOG = [
  '[  310.1] mce: [Hardware Error]: CPU 3: Machine Check Exception: 7 Bank 7: bd80000000100134',
  '[  310.2] mce: [Hardware Error]: TSC 2ba5d7cda8cb ADDR 87ee000 MISC 8c ',
  '[  310.3] mce: [Hardware Error]: PROCESSOR 0:50654 TIME 1796021342 SOCKET 0 APIC 6 microcode 2007006',
  '',
].join('\n');

describe('syndrome', () => {
  let folder = '';
  beforeAll(() => void ({ folder } = published.installed('syndrome')));
  /** Runs the installed program, with what it is piped. */
  function syndrome(args: readonly string[], input?: string): { status: number | null; stderr: string } {
    const options = { cwd: folder, env: published.env, encoding: 'utf8', timeout: 60_000, input } as const;
    return spawnSync(join(folder, 'node_modules/.bin/syndrome'), args, options);
  }
  const written = (name: string): string => `file://${join(folder, name)}`;

  test('decode --html writes a page that shows the records of a log', async () => {
    writeFileSync(join(folder, 'kern.log'), LOG);
    expect(syndrome(['decode', 'kern.log', '--html', 'log.html'])).toMatchObject({ status: 0 });
    const { page, wrong } = await tests.browser.visit(written('log.html'));
    await page.waitForSelector('.record');
    expect(await page.textContent('.record h1')).toContain('SRAR');
    expect(await page.textContent('.record-raw pre')).toContain('Bank 7: bd80000000100134');
    await page.click('[data-bit="61"]');
    expect(await page.textContent('.was')).toContain('was');
    expect(await accessFaults(page)).toEqual([]);
    expect(wrong).toEqual([]);
  });

  test('show and compare --html write pages that show runs', async () => {
    const pair = ['6.19.6', '7.3.4'].map(version =>
      join(ROOT, `packages/trace/src/compare/golden/pair-amd-deferred-${version}.ndjson`),
    );
    expect(syndrome(['show', ...pair.slice(0, 1), '--html', 'trace.html'])).toMatchObject({ status: 1 });
    expect(syndrome(['compare', ...pair, '--html', 'two.html'])).toMatchObject({ status: 1 });
    for (const [name, title] of [
      ['trace.html', 'FAIL amd-deferred · Syndrome'],
      ['two.html', 'compared'],
    ] as const) {
      const { page, wrong } = await tests.browser.visit(written(name));
      await page.waitForSelector('.list-row');
      await expect.poll(() => page.title()).toContain(title);
      expect(wrong).toEqual([]);
    }
  });
});

describe('syndrome-decode', () => {
  let folder = '';
  beforeAll(() => void ({ folder } = published.installed('decode')));
  const USE = `import { decode, predict } from 'syndrome-decode';
const [record] = decode('status=0xbd80000000100134 mcgstatus=0x7 vendor=intel').records;
document.title = record.headline;
document.body.textContent = record.class + ', ' + predict(record.raw, { consumer: 'linux' }).outcome;
`;
  const shown = 'SRAR, killed';

  test('goes through a bundler into a page that opens from a file', async () => {
    const input = join(folder, 'use.js');
    writeFileSync(input, USE);
    const bundle = await rolldown({ input, platform: 'browser', logLevel: 'silent' });
    const { output } = await bundle.generate({ format: 'iife', minify: true, codeSplitting: false });
    await bundle.close();
    const script = output[0].code.replaceAll('</script', '<\\/script');
    const { page, wrong } = await tests.browser.open(`<!doctype html><body><script>${script}</script>`);
    expect(await page.textContent('body')).toBe(shown);
    expect(await page.title()).toContain('SRAR');
    expect(wrong).toEqual([]);
  });

  test('is imported as it lies there, module by module', async () => {
    const { exports } = JSON.parse(readFileSync(join(folder, 'node_modules/syndrome-decode/package.json'), 'utf8')) as {
      exports: { '.': { default: string } };
    };
    const main = new URL(exports['.'].default, 'http://x/node_modules/syndrome-decode/').pathname;
    const map = JSON.stringify({ imports: { 'syndrome-decode': main } });
    const html = `<!doctype html><link rel="icon" href="data:,"><body><script type="importmap">${map}</script><script type="module">${USE}</script>`;
    writeFileSync(join(folder, 'modules.html'), html);
    await served(folder, async base => {
      const { page, wrong } = await tests.browser.visit(`${base}/modules.html`);
      await expect.poll(() => page.textContent('body')).toBe(shown);
      expect(wrong).toEqual([]);
    });
  });
});

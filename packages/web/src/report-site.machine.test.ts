/** The site of a report in a real browser: from files without a network, and from a plain server. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reportSite } from './report-site.ts';
import { accessFaults, TestBrowser } from './testing/browser.ts';
import { served } from './testing/plain-server.ts';
import { readMatrix } from './view/matrix-file.ts';
import { type Report, reportOf } from './view/report.ts';
import { DEFERRED } from './view/testing/matrices.ts';
import { reportedTraces } from './view/testing/reports.ts';
import { BAD, GOOD, NASTY, traceText } from './view/testing/runs.ts';

const tests = TestBrowser.ofTests();
let dir = '';
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'report-site-'))));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const words = async (page: Page, selector: string): Promise<string> => (await page.textContent(selector)) ?? '';

interface Site {
  traces: Readonly<Record<string, string>>;
  title?: string;
  matrix?: string;
  more?: Partial<Report>;
}

/** Writes a site of traces by their names. @returns its folder */
async function siteOf(name: string, { traces, title = 'Nightly', matrix, more = {} }: Site): Promise<string> {
  const matrices = matrix === undefined ? [] : [readMatrix(matrix, 'm.json')].filter(one => 'cells' in one);
  const report = { ...reportOf({ title, runs: reportedTraces(traces), unread: [], tests: [], matrices }), ...more };
  const folder = join(dir, name);
  mkdirSync(folder);
  const bytes = async (file: string): Promise<Uint8Array> => await Promise.resolve(Buffer.from(traces[file] ?? ''));
  for await (const { name: file, content } of reportSite(
    tests.html,
    report,
    bytes,
    new Map([['m.json', matrix ?? '']]),
  ))
    writeFileSync(join(folder, file), content);
  return folder;
}
const PAIR = {
  'linux/pair-amd-deferred-6.19.6.ndjson': readFileSync(BAD, 'utf8'),
  'linux/pair-amd-deferred-7.3.4.ndjson': readFileSync(GOOD, 'utf8'),
};

/** From the index to the line that shows what failed, and to the run beside it. @returns what went wrong in the pages */
async function walk(base: string): Promise<string[]> {
  const { page, wrong } = await tests.browser.visit(`${base}/index.html`);
  expect(await page.title()).toBe('Nightly');
  expect(await words(page, '.report-table tbody tr >> nth=0')).toMatch(/FAIL.*no guest\.mce-record.*MSR access error/s);
  await page.click('.report-table tbody th a >> nth=0');
  await page.waitForSelector('.list-row');
  await expect.poll(() => page.title()).toBe('FAIL amd-deferred · Syndrome');
  // The trace page shows the very line.
  await expect
    .poll(() => words(page, '.detail, [aria-label="Event"], .panes'))
    .toContain('MSR access error: WRMSR to 0xc0002098');
  await page.goBack();
  await page.click('text=compare with one that passed');
  await page.waitForSelector('.compare-head');
  await expect.poll(() => page.title()).toContain('compared');
  expect(await words(page, '.head')).toContain('linux/pair-amd-deferred-7.3.4.ndjson');
  const link = page.url();
  expect(link).toContain('run=linux%2Fpair-amd-deferred-6.19.6.ndjson&with=linux%2Fpair');
  const again = await tests.browser.visit(link);
  await again.page.waitForSelector('.compare-head');
  return [...wrong, ...again.wrong];
}

describe('a site', () => {
  test('works from files, without a network', async () => {
    expect(await walk(`file://${await siteOf('files', { traces: PAIR })}`)).toEqual([]);
  });
  test('works from a plain web server', async () => {
    expect(await served(await siteOf('served', { traces: PAIR }), walk)).toEqual([]);
  });
  test('has its table and matrix without scripts, and the links in them', async () => {
    const folder = await siteOf('unscripted', { traces: PAIR, matrix: DEFERRED });
    const { page } = await tests.browser.visit(`file://${folder}/index.html`, { scripts: false });
    expect(await page.locator('.report-table tbody tr').count()).toBe(2);
    expect(await words(page, 'section')).toContain('first bad 6.19.6 · last bad 6.19.8');
    await page.click('.static .cell-fail a >> nth=0');
    await expect.poll(() => page.isVisible('#c2')).toBe(true);
    expect(await page.isVisible('text=open the trace of 6.19.6')).toBe(true);
    expect(readFileSync(join(folder, 'index.html'), 'utf8')).not.toContain('<script');
  });
  test('opens its matrix as a page, with the traces behind the cells', async () => {
    const folder = await siteOf('matrix', { traces: PAIR, matrix: DEFERRED });
    const { page, wrong } = await tests.browser.visit(`file://${folder}/index.html`);
    await page.click('text=open the matrix as a page');
    await page.waitForSelector('.matrix-table [tabindex="0"]');
    await page.keyboard.press('o');
    await page.waitForSelector('.list-row');
    await expect.poll(() => page.title()).toBe('FAIL amd-deferred · Syndrome');
    expect(wrong).toEqual([]);
  });
});

test('the keyboard reaches all of it, in the order of the table', async () => {
  const folder = await siteOf('keyboard', { traces: PAIR });
  const { page } = await tests.browser.visit(`file://${folder}/index.html`);
  const focused = (): Promise<unknown> => page.evaluate('document.activeElement.getAttribute("href")');
  const seen: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    await page.keyboard.press('Tab');
    seen.push(await focused());
  }
  expect(seen.map(href => String(href).replace(/%2F.*?(?=&|$)/g, ''))).toEqual([
    'runs.html#trace?event=a76&run=linux',
    'runs.html#trace?run=linux&with=linux',
    'runs.html#trace?run=linux',
  ]);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.list-row');
  await expect.poll(() => page.title()).toBe('PASS amd-deferred · Syndrome');
});

test('the page of many traces lists them, and each has a link', async () => {
  const traces = Object.fromEntries(
    Array.from({ length: 100 }, (_, i) => [
      `run-${i}.ndjson`,
      i % 2 === 0 ? PAIR['linux/pair-amd-deferred-7.3.4.ndjson'] : traceText([[0, 'lab', { name: 'lab.step' }]]),
    ]),
  );
  const folder = await siteOf('many', { traces });
  const { page, wrong } = await tests.browser.visit(`file://${folder}/runs.html`);
  await page.waitForSelector('.at-hand');
  expect(await page.locator('.at-hand a').count()).toBe(100);
  expect(await accessFaults(page)).toEqual([]);
  await page.click('.at-hand a >> text="run-42.ndjson"');
  await page.waitForSelector('.list-row');
  expect(await words(page, '.head')).toContain('run-42.ndjson');
  // A link to another one that is pasted over it.
  await page.evaluate('location.hash = "#trace?run=run-7.ndjson"');
  await expect.poll(() => words(page, '.head')).toContain('run-7.ndjson');
  expect(wrong).toEqual([]);
});

test('a link to a trace that is not there says so', async () => {
  const folder = await siteOf('gone', { traces: PAIR });
  const { page } = await tests.browser.visit(`file://${folder}/runs.html#trace?run=gone.ndjson`);
  await page.waitForSelector('[role=alert]');
  expect(await words(page, '[role=alert]')).toContain('gone.ndjson is not in this page');
});

describe('whoever wrote the traces and their names, they stay text', () => {
  test.each(NASTY.map((text, i) => [i, text] as const))('%i', async (i, text) => {
    const name = text.replaceAll('\0', '');
    const trace = traceText(
      [
        [1, 'lab', { name: 'lab.step', fields: { index: 1, step: text, text } }],
        [2, 'guest', { name: 'guest.panic', raw: text, fields: { message: text } }],
      ],
      { scenario: text, expect: ['never: guest.panic'], parts: { kernel: text } },
    );
    const unread = [{ name: text, code: text, message: text, hint: text }];
    const folder = await siteOf(`nasty-${i}`, {
      title: text,
      traces: { [name]: trace, 'good.ndjson': traceText([], { scenario: text }) },
      more: { unread },
    });
    const { page, wrong } = await tests.browser.visit(`file://${folder}/index.html`);
    expect(await page.locator('.report-table tbody tr').count()).toBe(3);
    expect(
      await page.evaluate(
        'document.querySelectorAll(\'script, img, iframe, [onerror], [onload], a:not([href^="runs.html#"])\').length',
      ),
    ).toBe(0);
    await page.click('.report-table tbody th a >> nth=0');
    await page.waitForSelector('.list-row');
    await expect.poll(() => page.title()).toMatch(/^FAIL .* · Syndrome$/su);
    expect(wrong).toEqual([]);
  });
});

describe.each(['light', 'dark'] as const)('in %s', scheme => {
  test.each([900, 1440, 3840])('everybody can use the index, and nothing is cut off at %i px', async width => {
    const folder = await siteOf(`${scheme}-${width}`, {
      traces: { ...PAIR, 'cut.ndjson': PAIR['linux/pair-amd-deferred-7.3.4.ndjson'].slice(0, -2000) },
      matrix: DEFERRED,
      more: { unread: [{ name: 'x'.repeat(300), code: 'E_LAB_TRACE_VERSION', message: 'newer' }] },
    });
    const { page, wrong } = await tests.browser.visit(`file://${folder}/index.html`, { scheme, width });
    expect(await accessFaults(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    expect(wrong).toEqual([]);
  });
});

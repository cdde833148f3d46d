/** The page of a matrix in a real browser: from a file, without a network. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { fillTemplate, type PageFile } from './template.ts';
import { accessFaults, TestBrowser } from './testing/browser.ts';
import { readMatrix } from './view/matrix-file.ts';
import { matrixHtml } from './view/matrix-html.ts';
import { BISECTED, cell, DEFERRED, LOGGED, matrixText, OVER_QEMU } from './view/testing/matrices.ts';
import { BAD, GOOD, NASTY } from './view/testing/runs.ts';

const tests = TestBrowser.ofTests();

const traces: () => PageFile[] = () =>
  [BAD, GOOD].map(file => ({ kind: 'trace', name: file.split('/').at(-1) ?? '', bytes: readFileSync(file) }));
const matrixFile = (text: string, name = 'm.json'): PageFile => ({ kind: 'matrix', name, bytes: Buffer.from(text) });
function carried(...texts: string[]): string {
  const read = texts.map(text => readMatrix(text, 'm.json')).filter(one => 'cells' in one);
  return fillTemplate(tests.html, [...texts.map(text => matrixFile(text)), ...traces()], matrixHtml(read));
}
const bare = (): string => fillTemplate(tests.html, []);
const words = async (page: Page, selector: string): Promise<string> => (await page.textContent(selector)) ?? '';
/** Kernel and words of the cell that the keyboard is at. */
const active = async (page: Page): Promise<string> => {
  const cell = page.locator('.matrix-table [tabindex="0"]');
  return `${await cell.getAttribute('data-version')}: ${await cell.locator('.sr').textContent()}`;
};
const opened = (page: Page): Promise<unknown> => page.waitForSelector('.matrix-table [tabindex="0"]');
const choose = async (page: Page, files: string[]): Promise<void> => page.setInputFiles('input[type=file]', files);

/** 50,000 cells, one of them bad. */
function hugeMatrix(): string {
  const cells = Array.from({ length: 50_000 }, (_, i) =>
    cell(`6.${Math.floor(i / 100)}.${i % 100}`, i === 40_000 ? 'fail' : 'pass', i === 40_000 ? 'panicked' : 'logged'),
  );
  return matrixText('large', cells);
}

test('opens with what is bad: from where to where, why, and how it is narrowed down', async () => {
  const { page, wrong } = await tests.browser.open(carried(DEFERRED));
  await opened(page);
  await expect.poll(() => page.title()).toBe('Matrix amd-deferred · Syndrome');
  const head = await words(page, '.matrix-head');
  expect(head).toContain('first bad 6.19.6 · last bad 6.19.8 · 2 bad');
  expect(head).toContain('Known cause linux-amd-destat-without-smca');
  expect(head).toContain('1 cell says nothing');
  expect(await active(page)).toBe('6.19.6:  fail, panicked, changed, not what the outlook said');
  expect(await words(page, '.cell-details')).toMatch(/FAIL.*outcome panicked.*outlook: signalled/s);
  expect(await words(page, '.matrix-table')).toMatch(/P! ✗ panicked/);
  await page.click('[aria-label="Copy syndrome bisect amd-deferred --good 6.18.15 --bad 6.19.6"]');
  await expect
    .poll(() => page.evaluate('navigator.clipboard.readText()'))
    .toBe('syndrome bisect amd-deferred --good 6.18.15 --bad 6.19.6\n');
  expect(wrong).toEqual([]);
});

test('a bisection is a table of all versions between, hollow where none was measured', async () => {
  const { page, wrong } = await tests.browser.open(carried(BISECTED));
  await opened(page);
  const head = await words(page, '.matrix-head');
  expect(head).toContain('first good kernel 6.19.10, last bad 6.19.8');
  expect(head).toContain('not steady: 6.19.8 was fail, then pass');
  expect(await page.locator('.cell').count()).toBe(6);
  expect(await page.locator('.cell.is-hollow .sr').allTextContents()).toEqual([' not measured', ' not measured']);
  expect(await words(page, '.cell-details')).toContain(
    'ready after 1.3 s · injected after 1.7 s · restored from a kept state',
  );
  await page.click('[aria-label="Copy as text"]');
  await page.waitForSelector('.toast.is-shown >> text=text copied');
  expect(await page.evaluate('navigator.clipboard.readText()')).toContain('first good kernel 6.19.10, last bad 6.19.8');
  expect(await accessFaults(page)).toEqual([]);
  expect(wrong).toEqual([]);
});

test('over versions of QEMU it is the same table, with its name and its commands', async () => {
  const { page, wrong } = await tests.browser.open(carried(OVER_QEMU));
  await opened(page);
  const head = await words(page, '.matrix-head');
  expect(head).toContain('5 QEMU versions');
  expect(head).toContain('bad only 7.2 · none good measured before · good again: 10.0.13');
  expect(head).toContain('Known cause linux-amd-destat-without-smca');
  expect(head).toContain('QEMU 5.2.0 is too old for the lab');
  expect(await page.locator('.cell.is-hollow').getAttribute('data-version')).toBe('10.0.2');
  expect(await active(page)).toContain('7.2:  fail');
  const bisection = 'syndrome bisect intel-srao-process --over qemu --good 10.0.13 --bad 7.2 --guest-kernel 6.19.8';
  await page.click(`.matrix-head [aria-label="Copy ${bisection}"]`);
  await expect.poll(() => page.evaluate('navigator.clipboard.readText()')).toBe(`${bisection}\n`);
  expect(await words(page, '.cell-details')).toContain(
    'syndrome run intel-srao-process --guest-kernel 6.19.8 --qemu 7.2',
  );
  expect([await words(page, '.legend'), await words(page, '.cell-details h2')]).toEqual([
    expect.stringMatching(/^over QEMU versions · /),
    'QEMU 7.2',
  ]);
  await page.keyboard.press('x');
  expect(await words(page, '.matrix-table thead')).toContain('QEMU');
  expect(await page.locator('.axis').count()).toBe(0);
  expect(await accessFaults(page)).toEqual([]);
  expect(wrong).toEqual([]);
});

test('matrices of several axes have a table each, and go on by key and by choice', async () => {
  const { page, wrong } = await tests.browser.open(carried(DEFERRED, OVER_QEMU, LOGGED));
  await opened(page);
  expect(await page.locator('.matrix-table tbody tr').count()).toBe(2);
  expect(await words(page, '.matrix-head')).toContain('7 kernels · 2 lines');
  await page.keyboard.press('v');
  expect(await words(page, '.matrix-head')).toContain('5 QEMU versions');
  expect(await active(page)).toContain('7.2:  fail');
  expect(await page.locator('.axis').inputValue()).toBe('qemu');
  expect(await accessFaults(page)).toEqual([]);
  await page.selectOption('.axis', 'kernel');
  expect(await active(page)).toContain('6.19.6:  fail');
  await page.keyboard.press('?');
  expect(await words(page, 'dialog')).toContain('the next table');
  expect(wrong).toEqual([]);
});

test('what is chosen by key has the focus, wherever that was', async () => {
  const { page } = await tests.browser.open(carried(DEFERRED, LOGGED));
  await opened(page);
  const focused = (): Promise<unknown> =>
    page.evaluate("document.activeElement.getAttribute('data-version') ?? document.activeElement.tagName");
  await page.click('summary >> text=narrow it down');
  expect(await focused()).toBe('SUMMARY');
  // Where the cell is chosen already, too.
  await page.keyboard.press('b');
  expect(await focused()).toBe('6.19.6');
  await page.focus('.cell-details button');
  await page.keyboard.press('n');
  expect([await focused(), await active(page)]).toEqual(['6.19.10', expect.stringContaining('6.19.10:')]);
  await page.click('.matrix-bad .range');
  expect(await focused()).toBe('6.19.6');
  await page.keyboard.press('ArrowRight');
  expect([await focused(), await active(page)]).toEqual(['6.19.8', expect.stringContaining('6.19.8:')]);
});

test('a bad cell has the bisections that find where its range begins and ends', async () => {
  const { page } = await tests.browser.open(carried(DEFERRED), { hash: '#matrix?line=1.1&version=6.19.8' });
  await opened(page);
  await page.click('.cell-details [aria-label="Copy syndrome bisect amd-deferred --good 6.19.10 --bad 6.19.8"]');
  await expect
    .poll(() => page.evaluate('navigator.clipboard.readText()'))
    .toBe('syndrome bisect amd-deferred --good 6.19.10 --bad 6.19.8\n');
  await page.click('.cell[data-version="6.19.10"]');
  expect(await words(page, '.cell-details')).not.toContain('syndrome bisect');
  expect(await words(page, '.cell-details')).toContain('syndrome run amd-deferred --guest-kernel 6.19.10');
});

test('the keyboard walks the table and reaches everything', async () => {
  const { page, wrong } = await tests.browser.open(carried(DEFERRED));
  await opened(page);
  const { keyboard } = page;
  await page.focus('.matrix-table [tabindex="0"]');
  // Six versions are columns.
  await keyboard.press('ArrowRight');
  expect(await active(page)).toContain('6.19.8:  fail');
  await keyboard.press('End');
  expect(await active(page)).toContain('7.3.4:  pass');
  await keyboard.press('Home');
  expect(await active(page)).toContain('6.1:  skip');
  await keyboard.press('ArrowLeft');
  expect(await active(page)).toContain('6.1:  skip');
  await keyboard.press('n');
  expect(await active(page)).toContain('6.18.15');
  await keyboard.press('n');
  expect(await active(page)).toContain('6.19.6');
  await keyboard.press('p');
  expect(await active(page)).toContain('6.18.15');
  await keyboard.press('b');
  expect(await active(page)).toContain('6.19.6');
  await keyboard.press('Enter');
  expect(await page.isVisible('.cell-details')).toBe(false);
  await keyboard.press('Enter');
  expect(await page.isVisible('.cell-details')).toBe(true);
  await keyboard.press('Escape');
  expect(await page.isVisible('.cell-details')).toBe(false);
  await keyboard.press('x');
  await keyboard.press('ArrowDown');
  expect(await active(page)).toContain('6.19.8');
  expect(await page.evaluate("document.activeElement.getAttribute('role') ?? document.activeElement.tagName")).toBe(
    'TD',
  );
  await keyboard.press('/');
  await keyboard.type('pass');
  expect(await page.locator('.matrix-table tbody tr').count()).toBe(3);
  await keyboard.press('Escape');
  expect(await page.locator('.matrix-table tbody tr').count()).toBe(6);
  await keyboard.press('?');
  expect(await words(page, 'dialog')).toContain('the first bad version');
  await keyboard.press('Escape');
  await expect.poll(() => page.isVisible('dialog')).toBe(false);
  await keyboard.press('1');
  await expect.poll(() => page.title()).toBe('Decode · Syndrome');
  await page.click('nav >> text=Matrix');
  await opened(page);
  expect(await active(page)).toContain('6.19.8');
  expect(wrong).toEqual([]);
});

/** Whether the middle of the cell that has the focus can be seen, and not what sticks above it (WCAG 2.2, 2.4.11). */
const isFocusSeen = (page: Page): Promise<boolean> =>
  page.evaluate(`(() => {
    const cell = document.activeElement, { x, y, width, height } = cell.getBoundingClientRect();
    return cell.matches('.cell') && cell.contains(document.elementFromPoint(x + width / 2, y + height / 2));
  })()`);

test('in a narrow window details stand below the table, not below an empty place', async () => {
  const { page } = await tests.browser.open(carried(DEFERRED), { width: 1000, height: 1400 });
  await page.waitForSelector('.cell-details');
  const [table, details] = await Promise.all(
    ['.matrix-table', '.cell-details'].map(of => page.locator(of).boundingBox()),
  );
  expect((details?.y ?? Number.NaN) - (table?.y ?? 0) - (table?.height ?? 0)).toBeLessThan(60);
});

test('no key leaves the focus below what sticks', async () => {
  const cells = Array.from({ length: 60 }, (_, i) => cell(`6.1.${i}`, i === 30 ? 'fail' : 'pass', 'logged'));
  const { page } = await tests.browser.open(carried(DEFERRED, LOGGED, matrixText('long', cells)), {
    width: 900,
    height: 420,
  });
  await opened(page);
  const { keyboard } = page;
  for (const turn of ['as it opens', 'turned']) {
    await page.focus('.matrix-table [tabindex="0"]');
    for (const key of [
      'End',
      'PageDown',
      'Home',
      'PageUp',
      'End',
      'ArrowLeft',
      'ArrowLeft',
      'Home',
      'PageDown',
      'ArrowUp',
    ]) {
      await keyboard.press(key);
      expect([turn, key, await isFocusSeen(page)]).toEqual([turn, key, true]);
    }
    await keyboard.press('x');
  }
});

describe('the trace behind a cell', () => {
  test('opens, and the table is as it was', async () => {
    const { page, wrong } = await tests.browser.open(carried(DEFERRED));
    await opened(page);
    await page.keyboard.press('o');
    await page.waitForSelector('.list-row');
    await expect.poll(() => page.title()).toBe('FAIL amd-deferred · Syndrome');
    await page.keyboard.press('3');
    expect(await active(page)).toContain('6.19.6');
    expect(wrong).toEqual([]);
  });
  test('is compared with the nearest that passed, where that is at hand; a link leads there', async () => {
    const cells = (JSON.parse(DEFERRED) as { cells: object[] }).cells;
    const pair = matrixText('amd-deferred', [cells[2] ?? {}, cells[5] ?? {}]);
    const { page, wrong } = await tests.browser.open(carried(pair));
    await opened(page);
    await page.keyboard.press('c');
    await page.waitForSelector('.compare-head');
    await expect.poll(() => page.title()).toContain('compared');
    await expect.poll(() => page.evaluate('location.hash')).toMatch(/a=1\.1%2F6\.19\.6&b=1\.1%2F7\.3\.4/);
    const hash = (await page.evaluate('location.hash')) as string;
    const again = await tests.browser.open(carried(pair), { hash });
    await again.page.waitForSelector('.compare-head');
    expect([...wrong, ...again.wrong]).toEqual([]);
  });
  test('is asked for where it is not in the page, and opens once it is dropped', async () => {
    const { page, wrong } = await tests.browser.open(fillTemplate(tests.html, [matrixFile(DEFERRED)]));
    await opened(page);
    expect(await words(page, '.cell-details')).toContain('Drop pair-amd-deferred-6.19.6.ndjson here');
    await choose(page, [BAD]);
    await page.click('text=open the trace');
    await page.waitForSelector('.list-row');
    expect(wrong).toEqual([]);
  });
});

describe('files', () => {
  test('a matrix is chosen, another one added', async () => {
    const { page, wrong } = await tests.browser.open(bare(), { hash: '#matrix' });
    expect(await words(page, 'main')).toContain('Drop a matrix here');
    await choose(page, [tests.browser.file('deferred.json', DEFERRED)]);
    await opened(page);
    await page.click('text=add…');
    await choose(page, [tests.browser.file('logged.json', LOGGED)]);
    await expect.poll(() => words(page, '.matrix-head h1')).toBe('2 scenarios');
    expect(await page.locator('.cell.is-hollow').count()).toBe(5);
    expect(wrong).toEqual([]);
  });
  test.each([
    ['cut', DEFERRED.slice(0, -30), 'cut or damaged'],
    ['newer', DEFERRED.replace('"schemaVersion":1', '"schemaVersion":9'), 'Use a newer Syndrome'],
  ])('a %s one is told, and what is shown stays', async (name, text, said) => {
    for (const start of [bare(), carried(DEFERRED)]) {
      const { page } = await tests.browser.open(start, { hash: '#matrix' });
      await choose(page, [tests.browser.file(`${name}.json`, text)]);
      await page.waitForSelector('[role=alert]');
      expect(await words(page, '[role=alert]')).toContain(said);
      expect(await page.isVisible('.matrix-table')).toBe(start !== bare());
    }
  });
  test('damaged cells are counted', async () => {
    const { page } = await tests.browser.open(
      carried(matrixText('s', [cell('1', 'pass', 'none'), cell('2', 'x', 'none')])),
    );
    await opened(page);
    expect(await words(page, '[role=alert]')).toContain('One cell is damaged');
  });
  test('50,000 cells are shown in part and found by the filter', async () => {
    const { page, wrong } = await tests.browser.open(fillTemplate(tests.html, [matrixFile(hugeMatrix())]));
    await opened(page);
    expect(await page.locator('.matrix-table tbody tr').count()).toBeLessThanOrEqual(12_000);
    expect(await words(page, '.legend')).toContain('more rows');
    expect(await words(page, '.matrix-head')).toContain('bad only 6.400.0');
    await page.keyboard.press('/');
    await page.keyboard.type('panicked');
    await expect.poll(() => page.locator('.matrix-table tbody tr').count()).toBe(1);
    expect(wrong).toEqual([]);
  });
});

test('a packed matrix is known as one, and read', async () => {
  const { page, wrong } = await tests.browser.open(bare());
  await choose(page, [tests.browser.file('packed.json.gz', gzipSync(OVER_QEMU))]);
  await opened(page);
  expect(await words(page, '.matrix-head')).toContain('5 QEMU versions');
  expect(wrong).toEqual([]);
});

test('a link leads to the same cell', async () => {
  const { page } = await tests.browser.open(carried(DEFERRED), {
    hash: '#matrix?line=1.1&version=6.19.8&across=scenarios',
  });
  await opened(page);
  expect(await active(page)).toContain('6.19.8');
  expect(await page.isVisible('.cell-details')).toBe(true);
  expect(await page.locator('.matrix-table tbody tr').count()).toBe(6);
});

test('is taken along as text', async () => {
  const { page, wrong } = await tests.browser.open(carried(DEFERRED));
  await opened(page);
  await page.click('[aria-label="Copy as text"]');
  await page.waitForSelector('.toast.is-shown >> text=text copied');
  expect(await page.evaluate('navigator.clipboard.readText()')).toContain('6.19.6         fail  P panicked ! ◀');
  await page.click('[aria-label="Copy a link to this cell"]');
  await page.waitForSelector('.toast.is-shown >> text=link copied');
  expect(await page.evaluate('navigator.clipboard.readText()')).toMatch(/#matrix\?line=1\.1&version=6\.19\.6$/);
  expect(wrong).toEqual([]);
});

test('without scripts the table stands there, with its details', async () => {
  const { page } = await tests.browser.open(carried(DEFERRED), { scripts: false });
  expect(await page.isVisible('.static .cell-fail >> nth=0')).toBe(true);
  expect(await words(page, '.static')).toContain('first bad 6.19.6 · last bad 6.19.8');
  await page.click('.static .cell-fail a >> nth=0');
  await expect.poll(() => page.isVisible('#c2')).toBe(true);
});

describe('whoever wrote the matrix, it stays text', () => {
  const nasty = (text: string): string =>
    matrixText(text, [
      cell(text, 'fail', 'panicked', {
        title: text,
        trace: text,
        causes: [{ id: text, text, history: text }],
        problem: { code: text, message: text, hint: text },
        parts: { [text]: text },
        expectations: [{ expectation: text, kind: 'outlook', status: 'fail', evidence: [], nearest: [], reason: text }],
      }),
      cell('7.0', 'error', 'none', { problem: { code: text, message: text, hint: text } }, { cpu: text }),
    ]);
  test.each(NASTY.map((text, i) => [i, text] as const))('%i', async (_, text) => {
    const { page, wrong } = await tests.browser.open(carried(nasty(text)));
    await opened(page);
    for (const key of ['n', 'x', 'b']) await page.keyboard.press(key);
    const strangers = await page.evaluate(
      "document.querySelectorAll('#app script, #app img, #app iframe, #app [onerror], #app [onload], #app a').length",
    );
    expect(strangers).toBe(0);
    await expect.poll(() => page.title()).toContain('Syndrome');
    expect(await page.evaluate("document.getElementById('app').textContent")).not.toMatch(
      // oxlint-disable-next-line no-control-regex
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069\ufeff]/,
    );
    expect(wrong).toEqual([]);
  });
});

describe.each(['light', 'dark'] as const)('in %s', scheme => {
  const newer = DEFERRED.replace('"schemaVersion":1', '"schemaVersion":9');
  const damaged = matrixText('s', [cell('1', 'pass', 'none'), cell('2', 'x', 'none')]);
  test.each([
    ['empty', []],
    ['cut', [DEFERRED.slice(0, -9)]],
    ['newer', [newer]],
    ['damaged', [damaged]],
    ['bad', [DEFERRED]],
    ['several', [DEFERRED, LOGGED]],
    ['turned', [DEFERRED]],
    ['filtered', [DEFERRED]],
    ['huge', [hugeMatrix()]],
    ['keys', [DEFERRED]],
  ])('everybody can use the page: %s', async (state, texts) => {
    const { page } = await tests.browser.open(bare(), { scheme, hash: '#matrix' });
    if (texts.length > 0) {
      await choose(
        page,
        texts.map((text, i) => tests.browser.file(`m${i}.json`, text)),
      );
      await page.waitForSelector(state === 'cut' || state === 'newer' ? '[role=alert]' : '.matrix-table');
    }
    if (state === 'turned') await page.keyboard.press('x');
    if (state === 'keys') await page.keyboard.press('?');
    if (state === 'filtered') await page.fill('input[type=search]', 'no cell says this');
    expect(await accessFaults(page, state === 'huge' ? 'tbody tr:nth-child(n + 40)' : undefined)).toEqual([]);
  });
});

test.each([900, 1440, 3840])('nothing is cut off at %i px', async width => {
  const many = matrixText(
    'amd-deferred',
    Array.from({ length: 60 }, (_, i) => cell(`6.${i}.1`, i === 30 ? 'fail' : 'pass', 'logged')),
  );
  for (const texts of [[DEFERRED], [many], [DEFERRED, LOGGED, many]]) {
    const { page } = await tests.browser.open(carried(...texts), { width, height: 900 });
    await opened(page);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    expect(await page.isVisible('.matrix-table [tabindex="0"]')).toBe(true);
  }
});

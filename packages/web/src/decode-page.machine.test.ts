/** The page of records in a real browser: from a file, without a network. */
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { fillTemplate } from './template.ts';
import { accessFaults, drop, type Opened, TestBrowser } from './testing/browser.ts';
import { BAD, GOOD, NASTY } from './view/testing/runs.ts';

const tests = TestBrowser.ofTests();

const carried = (text: string, name = 'kern.log'): string =>
  fillTemplate(tests.html, [{ kind: 'log', name, bytes: Buffer.from(text) }]);
const words = async (page: Page, selector: string): Promise<string> => (await page.textContent(selector)) ?? '';
const DEFERRED = '#decode?status=0x9c00180000000000&addr=0x87ee000&misc=0x8c&bank=9&vendor=amd';

/** A corrected error of a kernel's log. */
const corrected = (i: number, page: number): string =>
  [
    `[${i}.102030] mce: [Hardware Error]: CPU ${i % 4}: Machine Check: 0 Bank 8: 8c00004000010092`,
    `[${i}.102031] mce: [Hardware Error]: TSC 2ba5d7cda8cb ADDR ${(0x87ee000 + page * 0x1000).toString(16)} MISC 4000008c `,
    `[${i}.102032] mce: [Hardware Error]: PROCESSOR 0:50654 TIME 1796021342 SOCKET 0 APIC 6 microcode 2007006`,
    '',
  ].join('\n');
const FATAL = '[7777.1] mce: [Hardware Error]: CPU 2: Machine Check Exception: 5 Bank 1: be00000000800400\n';
const HUGE = Array.from({ length: 33_400 }, (_, i) => corrected(i, i % 5000)).join('');
const LOG = `${Array.from({ length: 40 }, (_, i) => corrected(i, i % 7)).join('')}${FATAL}${corrected(9000, 1)}`;

async function record(hash = DEFERRED, options: { width?: number; scheme?: 'light' | 'dark' } = {}): Promise<Opened> {
  const opened = await tests.browser.open(fillTemplate(tests.html, []), { hash, ...options });
  await opened.page.waitForSelector('.record');
  return opened;
}

test('a link shows a record: what it is, whether it can be real, what to do, what each consumer will do', async () => {
  const { page, wrong } = await record();
  expect(await words(page, '.record h1')).toContain('AMD machine check, deferred');
  expect(await words(page, '.record .next-step')).toContain('take it out of use');
  expect(await words(page, '.record .lint')).toContain('L_MCA_DEFERRED_WITH_POISON');
  expect(await words(page, '.outlook')).toMatch(/Linux.*logged.*unless/s);
  expect(await words(page, '.record-raw pre')).toBe(
    'status=0x9c00180000000000 addr=0x87ee000 misc=0x8c bank=9 vendor=amd',
  );
  expect(wrong).toEqual([]);
});

test.each([
  [1440, ['.record h1', '.record .next-step', '.record .lint', '.strip', '.outlook .outcome']],
  [900, ['.record h1', '.record .next-step', '.record .lint', '.outlook .outcome']],
])('what counts is seen without scrolling at %i px', async (width, selectors) => {
  const { page } = await record(DEFERRED, { width });
  for (const selector of selectors) {
    const box = await page.locator(selector).first().boundingBox();
    expect((box?.y ?? 9999) + (box?.height ?? 0), selector).toBeLessThanOrEqual(900);
  }
});

test('a link of a record that the file has not says so, and shows the worst of the file', async () => {
  const { page, wrong } = await tests.browser.open(carried(LOG), { hash: DEFERRED });
  await page.waitForSelector('.record');
  await expect
    .poll(() => page.locator('.note-problem').allTextContents())
    .toEqual([expect.stringContaining('a record that is not in this file')]);
  expect(await words(page, '.record h1')).toContain('uncorrected and fatal');
  await page.click('.note-problem >> text=close');
  expect(await page.locator('.note-problem').count()).toBe(0);
  expect(wrong).toEqual([]);
});

test('a finding says what it means when it is asked, and where it speaks of', async () => {
  const { page } = await record();
  await page.focus('.record .lint summary >> nth=0');
  expect(await page.locator('.bit.is-lit').count()).toBeGreaterThan(0);
  expect(await page.isVisible('.record .lint p >> nth=0')).toBe(false);
  await page.keyboard.press('Enter');
  await expect.poll(() => page.isVisible('.record .lint p >> nth=0')).toBe(true);
  expect(await words(page, '.record .lint p')).toMatch(/hardware.*PPR/is);
});

test('where nothing speaks against a record, that is said', async () => {
  const { page } = await record(
    '#decode?status=0xbd80000000100134&mcgstatus=0x7&addr=0x87ee000&misc=0x8c&bank=7&vendor=intel',
  );
  expect(await words(page, '.record .lint')).toContain('nothing in it speaks against real hardware');
});

describe('bits', () => {
  test('are turned with the pointer, and all follows in the next frame', async () => {
    const { page, wrong } = await record();
    await page.click('[data-bit="44"]');
    await page.click('[data-bit="61"]');
    expect(await words(page, '.record h1')).toContain('uncorrected');
    expect(await words(page, '.was')).toContain('deferred');
    expect(await page.inputValue('.hex')).toBe('0xbc00080000000000');
    expect(await page.locator('.bit.is-changed').count()).toBe(2);
    expect(await words(page, '[role=tab]')).toContain('•');
    await page.keyboard.press('u');
    expect(await page.inputValue('.hex')).toBe('0x9c00080000000000');
    await page.keyboard.press('0');
    expect(await page.inputValue('.hex')).toBe('0x9c00180000000000');
    expect(wrong).toEqual([]);
  });
  test('and with the keyboard: one stop, arrows, Space', async () => {
    const { page } = await record();
    expect(await page.locator('.bit[tabindex="0"]').count()).toBe(1);
    await page.focus('.bit[tabindex="0"]');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Space');
    expect(await page.inputValue('.hex')).toBe('0xbc00180000000000');
    await page.keyboard.press('ArrowDown');
    expect(await page.evaluate("document.activeElement.getAttribute('aria-label')")).toContain('bit 29');
  });
  test('a value is typed; one that is none changes nothing', async () => {
    const { page } = await record();
    await page.fill('.hex', '0xb200000000000005');
    await page.keyboard.press('Enter');
    expect(await words(page, '.record .badges')).toContain('fatal');
    await page.fill('.hex', 'hello');
    expect(await page.getAttribute('.hex', 'aria-invalid')).toBe('true');
    await page.keyboard.press('Enter');
    expect(await page.inputValue('.hex')).toBe('0xb200000000000005');
  });
  test('what a finding speaks of is marked in the strip, the names and the table', async () => {
    const { page } = await record();
    expect(await page.locator('.bit.is-flagged').count()).toBe(2);
    expect(await page.locator('.fields .is-flagged').allTextContents()).toEqual([
      expect.stringContaining('DEFERRED'),
      expect.stringContaining('POISON'),
    ]);
    await page.hover('.record .lint li >> nth=0');
    expect(await page.locator('.bit.is-lit').count()).toBeGreaterThan(0);
  });
  test.each([
    ['an abort of arm64', '#decode?esr=0x92000410&far=0xffff80001000', 'ESR_ELx'],
    [
      'a firmware record',
      `#decode?record=${encodeURIComponent(JSON.stringify({ schemaVersion: 1, kind: 'cper', raw: { kind: 'cper', severity: 'fatal', sections: [{ type: 'a5bc1114-6f64-4ede-b863-3e83ed7c83b1', severity: 'fatal', revision: 768, flags: 0, body: { kind: 'memory', physicalAddress: '0x0000000000001000', errorType: 3 } }] } }))}`,
      'BlockStatus',
    ],
  ])('%s has its bits too', async (_, hash, register) => {
    const { page } = await record(hash);
    expect(await words(page, '[role=tab]')).toContain(register);
    const before = await page.inputValue('.hex');
    await page.click('[data-bit="1"]');
    expect(await page.inputValue('.hex')).not.toBe(before);
    expect(await page.locator('.bit.is-changed').count()).toBe(1);
  });
});

test('half of a register, of which nothing is known, is shown when it is asked for', async () => {
  const raw = {
    kind: 'cper',
    severity: 'corrected',
    sections: [
      {
        type: 'a5bc1114-6f64-4ede-b863-3e83ed7c83b1',
        severity: 'corrected',
        revision: 768,
        flags: 0,
        body: { kind: 'memory', errorStatus: '0x0000000000000400' },
      },
    ],
  };
  const { page } = await record(
    `#decode?record=${encodeURIComponent(JSON.stringify({ schemaVersion: 1, kind: 'cper', raw }))}`,
  );
  await page.click('[role=tab] >> text=ErrorStatus');
  expect(await page.locator('.strip-row').count()).toBe(1);
  await page.focus('.bit[tabindex="0"]');
  await page.keyboard.press('ArrowUp');
  expect(await page.evaluate("document.activeElement.getAttribute('data-bit')")).toBe('31');
  await page.click('text=and 64 bits');
  expect(await page.locator('.strip-row').count()).toBe(2);
});

test('an alternative of the outlook is assumed with one click, and taken back with another', async () => {
  const { page } = await record();
  await page.click('.outlook .chip >> nth=0');
  expect(await words(page, '.outlook .outcome')).toBe('signalled');
  await page.click('.outlook .is-assumed');
  expect(await words(page, '.outlook .outcome')).toBe('logged');
  await page.selectOption('[aria-label="Version of Linux"]', '6.19.6');
  expect(await page.inputValue('[aria-label="Version of Linux"]')).toBe('6.19.6');
});

test('a link of a changed record leads to the changed record', async () => {
  const { page } = await record();
  await page.click('[data-bit="61"]');
  await expect.poll(() => page.evaluate('location.hash')).toContain('status=0xbc00180000000000');
  const again = await record((await page.evaluate('location.hash')) as string);
  expect(await words(again.page, '.record h1')).toBe(await words(page, '.record h1'));
});

describe('a log', () => {
  test('opens with the worst, and with what all of it comes to', async () => {
    const { page, wrong } = await tests.browser.open(carried(LOG));
    await page.waitForSelector('.triage');
    expect(await words(page, '.triage h2')).toMatch(/1 fatal, \d+ corrected/);
    expect(await words(page, '.triage')).toContain('Pages met again');
    expect(await words(page, '.record .badges')).toContain('fatal');
    expect(await words(page, '.record-raw pre')).toContain('Bank 1: be00000000800400');
    expect(wrong).toEqual([]);
  });
  test('stays when the page is loaded again, at the record that was looked at', async () => {
    const { page } = await tests.browser.open(carried(LOG));
    await page.waitForSelector('.triage');
    await page.keyboard.press('j');
    const shown = await words(page, '.record-raw pre');
    expect(shown).not.toContain('Bank 1: be00000000800400');
    await page.waitForURL(/status=0x8c/);
    const link = page.url();
    await page.reload();
    await page.waitForSelector('.triage');
    await expect.poll(() => words(page, '.record-raw pre')).toBe(shown);
    // The address follows once nothing changes any more.
    await page.waitForURL(link);
    // Of a record that was changed the file knows nothing: the file stays.
    await page.goto('about:blank');
    await page.goto(link.replace('8c00', '9c00'));
    await page.waitForSelector('.triage');
    expect(await words(page, '.records .count')).toBe('42 records');
  });
  test('that is packed is given like another', async () => {
    const { page } = await tests.browser.open(fillTemplate(tests.html, []));
    await page.waitForSelector('.paste');
    const file = { name: 'kern.log.1.gz', mimeType: 'application/gzip', buffer: gzipSync(LOG) };
    await page.setInputFiles('input[type=file]', file);
    await page.waitForSelector('.triage');
    expect(await words(page, '.records .count')).toBe('42 records');
  });
  test('that is packed and cut is read as far as it goes, which is said', async () => {
    const { page, wrong } = await tests.browser.open(fillTemplate(tests.html, []));
    await page.waitForSelector('.paste');
    const packed = gzipSync(HUGE);
    await drop(page, [tests.browser.file('cut.log.gz', packed.subarray(0, packed.length / 2))]);
    await page.waitForSelector('.triage');
    await page.click('.remarks summary');
    expect(await words(page, '.remarks')).toMatch(/E_INPUT_ARCHIVE.*what stands before that was read/);
    expect(wrong).toEqual([]);
  });
  test('is read beside others as one input, and each line is found in its file', async () => {
    const { page, wrong } = await tests.browser.open(fillTemplate(tests.html, []));
    await page.waitForSelector('.paste');
    const files = [
      tests.browser.file('first.log', LOG),
      tests.browser.file('second.log.gz', gzipSync(`a line before\n${corrected(3, 9)}`)),
      tests.browser.file('third.tar.xz', Buffer.from('\xfd7zXZ\0 and so on', 'latin1')),
    ];
    await drop(page, files);
    await page.waitForSelector('.triage');
    expect(await words(page, '.records .count')).toBe('43 records');
    expect(await words(page, '.input-name')).toMatch(/3 files.*first\.log, second\.log\.gz, third\.tar\.xz/);
    await page.fill('.records input[type=search]', 'second.log.gz:2');
    expect(await words(page, '.records .count')).toBe('1 of 43 records');
    await page.click('.list-row');
    await expect.poll(() => words(page, '.record-raw pre')).toContain('[3.102030]');
    expect(await words(page, '.record-raw h2')).toContain('second.log.gz · line 2 to 4');
    await page.click('.remarks summary');
    expect(await words(page, '.remarks')).toContain('third.tar.xz is a file that xz packed, and was not read');
    expect(wrong).toEqual([]);
  });
  test('is walked, filtered and grouped with keys', async () => {
    const { page } = await tests.browser.open(carried(LOG));
    await page.waitForSelector('.triage');
    await page.keyboard.press('k');
    expect(await words(page, '.record .badges')).toContain('corrected');
    await page.keyboard.press('/');
    await page.keyboard.type('fatal');
    expect(await words(page, '.records .count')).toBe('1 of 42 records');
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    expect(await page.locator('.groups li').count()).toBe(2);
    expect(await words(page, '.groups li')).toContain('× 41 · 7 pages · 4 CPUs');
    await page.click('.groups button >> nth=0');
    expect(await words(page, '.records .count')).toBe('41 of 42 records');
    await page.click('.triage .chip >> nth=0');
    expect(await words(page, '.records .count')).toMatch(/^\d of 42 records$/);
  });
  test('of 100,000 lines is read while its list is used', async () => {
    // In a low window, too, no more rows are drawn than are seen.
    const { page, wrong } = await tests.browser.open(fillTemplate(tests.html, []), { height: 700 });
    expect(HUGE.split('\n').length).toBeGreaterThan(100_000);
    await drop(page, [tests.browser.file('large.log', HUGE)]);
    await page.waitForSelector('.list-row', { timeout: 60_000 });
    await page.keyboard.press('j');
    await page.waitForSelector('.triage', { timeout: 120_000 });
    expect(await words(page, '.records .count')).toBe('33,400 records');
    expect(await page.locator('.list-row').count()).toBeLessThan(60);
    expect(wrong).toEqual([]);
  });
});

describe('the Back of the browser', () => {
  const title = (page: Page): Promise<string> => words(page, '.record-raw pre');
  const settled = async (page: Page, hash: RegExp): Promise<void> => {
    await page.waitForURL(url => hash.test(url.hash));
    await page.evaluate('new Promise(resolve => setTimeout(resolve, 300))');
  };
  test('undoes what was chosen, and leaves what was typed', async () => {
    const { page, wrong } = await tests.browser.open(carried(LOG));
    await page.waitForSelector('.triage');
    await settled(page, /status=0xbe00000000800400/);
    const worst = await title(page);
    await page.keyboard.press('k');
    await settled(page, /status=0x8c00/);
    const before = await title(page);
    expect(before).not.toBe(worst);
    await page.keyboard.press('2');
    await page.waitForSelector('text=Drop a trace here');
    await settled(page, /^#trace$/);
    await page.goBack();
    await expect.poll(() => title(page)).toBe(before);
    await page.goBack();
    await expect.poll(() => title(page)).toBe(worst);
    expect(await words(page, '.records .count')).toBe('42 records');
    await page.goForward();
    await expect.poll(() => title(page)).toBe(before);
    expect(wrong).toEqual([]);
  });
  test('leads to the input that was open before, and to the page without one', async () => {
    const { page, wrong } = await tests.browser.open(fillTemplate(tests.html, []));
    await page.waitForSelector('.paste');
    await drop(page, [tests.browser.file('one.log', LOG)]);
    await settled(page, /status=/);
    await drop(page, [tests.browser.file('two.log', corrected(5, 5))]);
    await settled(page, /addr=0x00000000087f3000/);
    expect(await words(page, '.records .count')).toBe('1 record');
    await page.goBack();
    await expect.poll(() => words(page, '.records .count')).toBe('42 records');
    await page.goBack();
    await page.waitForSelector('.paste');
    await page.goForward();
    await page.goForward();
    await expect.poll(() => words(page, '.records .count')).toBe('1 record');
    expect(wrong).toEqual([]);
  });
});

describe('what is given', () => {
  test('is pasted, and an example can be looked at', async () => {
    const { page, wrong } = await tests.browser.open(fillTemplate(tests.html, []));
    await page.waitForSelector('[aria-label="What is to be decoded"]:focus');
    await page.keyboard.insertText('0xbd80000000100134');
    await page.keyboard.press('Control+Enter');
    await page.waitForSelector('.record');
    await page.selectOption('.record select', 'intel');
    await expect.poll(() => words(page, '.record h1')).toContain('SRAR');
    await page.fill('.input-view textarea', 'esr=0x92000410');
    await expect.poll(() => words(page, '.record h1')).not.toContain('SRAR');
    await page.click('.input-view >> text=new');
    await page.click('text=lines of a kernel log');
    await page.waitForSelector('.triage');
    expect(wrong).toEqual([]);
  });
  test('says how it was read where there is no record in it', async () => {
    const { page, wrong } = await tests.browser.open(carried('hello\nworld\n'));
    await page.waitForSelector('text=No error record');
    expect(await words(page, '.decode-main')).toContain('What helps');
    expect(wrong).toEqual([]);
  });
  const tar = Buffer.alloc(1024);
  tar.write('ustar', 257);
  test.each([
    ['sos.tar', tar, 'a tar'],
    ['sos.tar.gz', gzipSync(tar), 'a tar'],
    ['sos.tar.xz', Buffer.from('\xfd7zXZ\0 and so on', 'latin1'), 'a file that xz packed'],
    ['sos.zst', Buffer.from('28b52ffd0102', 'hex'), 'a file that zstd packed'],
    ['log.bz2', Buffer.from('BZh91AY'), 'a file that bzip2 packed'],
    ['esxi.zip', Buffer.from('PK\x03\x04 and so on'), 'a zip', 'Unpack it first'],
    ['ras-mc_event.db', Buffer.from('SQLite format 3\0 and so on'), 'a SQLite database'],
    ['sos.tar.xz.gpg', Buffer.from('85020c03', 'hex'), 'encrypted', 'Decrypt it first'],
  ])('that is nothing for a page leads to the program: %s', async (name, bytes, what, first = '') => {
    const { page, wrong } = await tests.browser.open(fillTemplate(tests.html, []));
    await page.waitForSelector('.paste');
    await drop(page, [tests.browser.file(name, bytes)]);
    await page.waitForSelector('.no-record');
    const said = await words(page, '.no-record');
    expect(said).toContain(`${name} is ${what}`);
    expect(said).toContain(first);
    expect(said).toContain('syndrome decode FILE --html OUT.html');
    expect(await accessFaults(page)).toEqual([]);
    expect(wrong).toEqual([]);
  });
  test('and for which there is no place is told', async () => {
    const { page } = await tests.browser.open(fillTemplate(tests.html, []));
    await page.waitForSelector('.paste');
    await drop(page, [GOOD, BAD, tests.browser.file('beside.log', LOG), GOOD]);
    await page.waitForSelector('.note >> text=2 more files were given and not read');
    await page.click('.note >> text=close');
    expect(await page.locator('text=more files were').count()).toBe(0);
  });
  test('and what was cut of it is told at its line', async () => {
    const { page } = await tests.browser.open(
      carried(`${corrected(1, 1)}{"schemaVersion":1,"kind":"x86-mca","raw":{"kind":"x86-mca","status":"0x9c`),
    );
    await page.waitForSelector('.record');
    expect(await words(page, '.remarks')).toContain('E_TEXT_TRUNCATED');
  });
  test.each(NASTY.map((text, i) => [i, text] as const))('stays text, whatever it is: %i', async (_, text) => {
    const line = `[1.1] mce: [Hardware Error]: CPU 1: Machine Check: 0 Bank 8: 8c00004000010092 ${text}\n`;
    const failure = `[2.1] Memory failure: 0x87ee: recovery action for ${text}: Recovered\n`;
    const { page, wrong } = await tests.browser.open(carried(line + failure + text, text));
    await page.waitForSelector('.record, .nothing');
    for (const key of ['j', 'k', 'g']) await page.keyboard.press(key);
    expect(
      await page.evaluate(
        "document.querySelectorAll('#app script, #app img, #app iframe, #app [onerror], #app [onload], #app a').length",
      ),
    ).toBe(0);
    expect(
      await page.evaluate("[...document.querySelectorAll('#app > :not(textarea)')].map(e => e.innerText).join('')"),
    ).not.toMatch(
      // oxlint-disable-next-line no-control-regex
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069\ufeff]/,
    );
    expect(wrong).toEqual([]);
  });
});

test('a record of a newer version says so', async () => {
  const { page, wrong } = await tests.browser.open(carried(NEWER));
  await page.waitForSelector('.record');
  expect(await page.isVisible('.remarks >> text=the record is of version 2; this program reads 1')).toBe(true);
  expect(wrong).toEqual([]);
});

test('a finding keeps its code in one line, however long it is', async () => {
  const { page } = await record('#decode?status=0xbe00000000800400&bank=1');
  const heights = (await page.evaluate(
    "[...document.querySelectorAll('.lint summary code')].map(code => code.getClientRects().length + ' ' + Math.round(code.getBoundingClientRect().height / parseFloat(getComputedStyle(code).fontSize)))",
  )) as string[];
  expect(heights.length).toBeGreaterThan(1);
  expect(new Set(heights).size).toBe(1);
});

test('a record of a trace is opened here', async () => {
  const { page } = await tests.browser.open(fillTemplate(tests.html, []));
  await page.keyboard.press('Escape');
  await page.click('nav >> text=Trace');
  expect(await words(page, 'main')).toContain('Drop a trace here');
});

const NEWER =
  '{"schemaVersion":2,"kind":"x86-mca","bank":9,"raw":{"kind":"x86-mca","bank":9,"vendor":"amd","status":"0x9c00180000000000"}}\n';
const CUT = `${corrected(1, 1)}{"schemaVersion":1,"kind":"x86-mca","raw":{"kind":"x86-mca","status":"0x9c`;

describe.each(['light', 'dark'] as const)('in %s', scheme => {
  test.each([
    ['empty', '', '.paste'],
    ['none', 'hello', '.nothing h1'],
    ['record', '', '.record'],
    ['changed', '', '.record'],
    ['cut', CUT, '.remarks'],
    ['log', LOG, '.triage'],
    ['groups', LOG, '.triage'],
    ['filtered', LOG, '.triage'],
    ['huge', HUGE, '.triage'],
    ['keys', LOG, '.triage'],
    ['newer', NEWER, '.remarks'],
  ])('everybody can use the page: %s', async (state, text, seen) => {
    const hash = state === 'record' || state === 'changed' ? DEFERRED : '';
    const { page } = await tests.browser.open(text === '' ? fillTemplate(tests.html, []) : carried(text), {
      scheme,
      hash,
    });
    await page.waitForSelector(seen);
    if (state === 'changed') await page.click('[data-bit="61"]');
    if (state === 'keys') await page.keyboard.press('?');
    if (state === 'groups') await page.keyboard.press('g');
    if (state === 'filtered') await page.fill('.records input[type=search]', 'no record says this');
    expect(await accessFaults(page)).toEqual([]);
  });
});

test.each([900, 1440, 3840])('nothing is cut off at %i px', async width => {
  const { page } = await record(DEFERRED, { width });
  expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
});

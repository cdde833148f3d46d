/** The page of a trace in a real browser: from a file, without a network. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { fillTemplate } from './template.ts';
import { accessFaults, drop, TestBrowser } from './testing/browser.ts';
import { BAD, GOOD, NASTY, traceText } from './view/testing/runs.ts';

const tests = TestBrowser.ofTests();

const carried = (...files: string[]): string =>
  fillTemplate(
    tests.html,
    files.map(file => ({ kind: 'trace', name: file.split('/').at(-1) ?? '', bytes: readFileSync(file) })),
  );
const carriedText = (text: string, name = 'made.ndjson'): string =>
  fillTemplate(tests.html, [{ kind: 'trace', name, bytes: Buffer.from(text) }]);

/** A long boot, 70 MB of it, with an injection in it. */
function huge(): string {
  const raw = `[   12.215083] ${'a line of a console that goes on for a while '.repeat(2)}`;
  const rows = Array.from({ length: 500_000 }, (_, i): [number, string, object] => [i / 50, 'guest', { raw }]);
  rows[300_000] = [6000, 'lab', { name: 'lab.injected', fields: { kind: 'mce' } }];
  return traceText(rows);
}

/** The page once it shows a trace. */
async function opened(page: Page): Promise<void> {
  await page.waitForSelector('.list-row');
}
const words = async (page: Page, selector: string): Promise<string> => (await page.textContent(selector)) ?? '';
const active = (page: Page): Promise<string> => words(page, '.list-row.is-active');
const choose = async (page: Page, files: string[]): Promise<void> => page.setInputFiles('input[type=file]', files);

test('opens from a file without a network, and says what a run came to', async () => {
  const { page, wrong } = await tests.browser.open(carried(GOOD));
  await opened(page);
  await expect.poll(() => page.title()).toBe('PASS amd-deferred · Syndrome');
  expect(await words(page, '.head')).toMatch(/PASS.*amd-deferred.*outcome signalled/);
  expect(await words(page, '.expectations .pane-head')).toContain('11 held');
  expect(await active(page)).toContain('INJECT');
  await page.evaluate('new Promise(resolve => setTimeout(resolve, 400))');
  expect(wrong).toEqual([]);
});

test('of a run that was killed before anything was seen nobody says that nothing came of it', async () => {
  const text = readFileSync(GOOD, 'utf8').split('\n').slice(0, 4).join('\n');
  const { page } = await tests.browser.open(carriedText(`${text}\n`));
  await page.waitForSelector('.head >> text=E_LAB_TRACE_CUT');
  expect(await words(page, '.head')).toMatch(/ERROR.*outcome not known/);
});

test('the page may reach nothing, whatever runs in it', async () => {
  const { page, wrong } = await tests.browser.open(carried(GOOD));
  const outcome = await page.evaluate("fetch('https://example.invalid/').then(() => 'sent', () => 'refused')");
  expect(outcome).toBe('refused');
  await expect.poll(() => wrong.join('\n')).toContain('refused connect-src');
});

test('a run that failed opens with what broke it', async () => {
  const { page, wrong } = await tests.browser.open(carried(BAD));
  await opened(page);
  expect(await active(page)).toContain('WRMSR of MSR 0xc0002098 faults');
  expect(await words(page, '.note-cause')).toContain('Known cause');
  expect(await words(page, '.detail')).toContain('Use Linux 6.19.10');
  const first = await words(page, '.expectation');
  expect(first).toMatch(/failed.*within 40s: guest\.mce-record/);
  expect(wrong).toEqual([]);
});

describe('expectations and evidence', () => {
  test('an expectation leads to its evidence, and evidence to its expectation', async () => {
    const { page } = await tests.browser.open(carried(GOOD));
    await opened(page);
    await page.click('.expectation >> text=host.memory-failure');
    expect(await active(page)).toContain('dirty LRU page: Recovered');
    expect(await words(page, '.expectation.is-lit code')).toBe('within 20s: host.memory-failure');
    await page.click('.list-row >> text=the guest answers');
    expect(await words(page, '.expectation.is-lit code')).toBe('within 60s: guest.alive');
    await page.click('.why >> text=event 82');
    expect(await words(page, '.detail h2')).toBe('process.signal');
  });
});

test('raw line, fields and decoded record stand beside each other', async () => {
  const { page } = await tests.browser.open(carried(GOOD), { hash: '#trace?event=a85' });
  await opened(page);
  const detail = await words(page, '.detail');
  for (const said of [
    'guest.mce-record',
    'As received',
    'PROCESSOR 2:800f12',
    '0x9c00180000000000',
    'Next step',
    'MCi_STATUS',
  ])
    expect(detail).toContain(said);
});

describe('the keyboard', () => {
  test('reaches everything, by the table that ? shows', async () => {
    const { page, wrong } = await tests.browser.open(carried(GOOD));
    await opened(page);
    const { keyboard } = page;
    await keyboard.press('j');
    expect(await active(page)).toContain('hwpoison_inject');
    await keyboard.press('k');
    expect(await active(page)).toContain('INJECT');
    await keyboard.press('n');
    await keyboard.press('n');
    expect(await words(page, '.expectation.is-chosen code')).toContain('vmm.sigbus-injected');
    await keyboard.press('p');
    expect(await words(page, '.expectation.is-chosen code')).toContain('host.memory-failure');
    await keyboard.press('.');
    const label = async (): Promise<string> => (await page.getAttribute('.lanes canvas', 'aria-label')) ?? '';
    const fitted = await label();
    await keyboard.press('w');
    const closer = await label();
    expect(closer).not.toBe(fitted);
    await keyboard.press('d');
    expect(await label()).not.toBe(closer);
    await keyboard.press('f');
    expect(await label()).toBe(fitted);
    await keyboard.press('0');
    expect(await label()).not.toBe(fitted);
    await keyboard.press('r');
    expect(await words(page, '.count')).toBe('86');
    await keyboard.press('/');
    await keyboard.type('recovered');
    expect(await words(page, '.count')).toBe('2 of 86');
    await keyboard.press('Escape');
    expect(await words(page, '.count')).toBe('86');
    await keyboard.press('?');
    expect(await words(page, 'dialog')).toContain('first difference of two runs');
    await keyboard.press('Escape');
    await expect.poll(() => page.isVisible('dialog')).toBe(false);
    await keyboard.press('t');
    expect(await page.getAttribute('html', 'data-theme')).toBe('light');
    expect(wrong).toEqual([]);
  });
  test('Tab stops at each control and list, and the list is walked with arrows', async () => {
    const { page } = await tests.browser.open(carried(GOOD));
    await opened(page);
    const stops: string[] = [];
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press('Tab');
      const stop = (await page.evaluate(
        "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.slice(0, 30)",
      )) as string;
      stops.push(stop);
      if (stop === 'Events') break;
    }
    for (const stop of ['open…', 'Copy as SVG', 'Colours: auto', 'Keys', 'Filter events and raw lines', 'Events'])
      expect(stops).toContain(stop);
    await page.keyboard.press('End');
    expect(await active(page)).toContain('decoded: Deferred error');
    await page.keyboard.press('Home');
    expect(await active(page)).toContain('QEMU starts');
  });
});

describe('two runs', () => {
  test('open at the first difference', async () => {
    const { page, wrong } = await tests.browser.open(carried(BAD, GOOD));
    await opened(page);
    expect(await active(page)).toMatch(/first difference.*only A.*WRMSR of MSR 0xc0002098/);
    expect(await words(page, '.compare-head')).toContain('4 only in A · 6 only in B');
    await page.keyboard.press('x');
    expect(await words(page, '.count')).toBe('10 of 19');
    await page.keyboard.press('j');
    await page.keyboard.press('g');
    expect(await active(page)).toContain('first difference');
    await page.keyboard.press('c');
    expect(await words(page, '.head')).not.toContain('7.3.4+deb13-cloud-amd64 B');
    await expect.poll(() => page.title()).toBe('FAIL amd-deferred · Syndrome');
    expect(wrong).toEqual([]);
  });
});

describe('files', () => {
  test('are chosen, one or two, and the second is compared', async () => {
    const { page, wrong } = await tests.browser.open(tests.html.replace('<!--DATA-->', ''), { hash: '#trace' });
    expect(await words(page, 'main')).toContain('Drop a trace here');
    await choose(page, [BAD]);
    await opened(page);
    await expect.poll(() => page.title()).toContain('FAIL');
    await page.click('text=compare…');
    await choose(page, [GOOD]);
    await page.waitForSelector('.compare-head');
    await expect.poll(() => page.title()).toContain('compared');
    expect(wrong).toEqual([]);
  });
  test('are dropped: one opens, and on the half for it the next is compared', async () => {
    const { page, wrong } = await tests.browser.open(tests.html.replace('<!--DATA-->', ''));
    const drop = async (file: string, target: string): Promise<void> => {
      const text = JSON.stringify(readFileSync(file, 'utf8'));
      await page.evaluate(`(async () => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([${text}], 'run.ndjson'));
        const event = type => new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true });
        dispatchEvent(event('dragover'));
        await new Promise(resolve => setTimeout(resolve, 50));
        (document.querySelector('${target}') ?? document.body).dispatchEvent(event('drop'));
      })()`);
    };
    await drop(BAD, '[data-drop="open"]');
    await opened(page);
    await expect.poll(() => page.title()).toBe('FAIL amd-deferred · Syndrome');
    await drop(GOOD, '[data-drop="beside"]');
    await page.waitForSelector('.compare-head');
    expect(await page.isVisible('.drop')).toBe(false);
    expect(wrong).toEqual([]);
  });
  test.each([
    ['a damaged head', '{"type":"trace","version":0}\n', 'there is none'],
    ['a newer version', '{"type":"trace","version":99,"tool":"syndrome 9"}\n', 'Use a newer Syndrome'],
  ])('%s is told, and what is shown stays', async (name, text, said) => {
    const { page } = await tests.browser.open(carried(GOOD));
    await opened(page);
    await choose(page, [tests.browser.file(`${name}.ndjson`, text)]);
    await page.waitForSelector('[role=alert]');
    expect(await words(page, '[role=alert]')).toContain(said);
    await expect.poll(() => page.title()).toContain('PASS');
  });
  test('a cut and a damaged trace say so', async () => {
    const lines = readFileSync(GOOD, 'utf8').split('\n');
    const { page } = await tests.browser.open(carriedText(lines.slice(0, -3).join('\n')));
    await opened(page);
    expect(await words(page, '.head')).toMatch(/ERROR[\s\S]*E_LAB_TRACE_CUT/);
    const other = await tests.browser.open(carriedText(lines.toSpliced(20, 1, '{"seq":').join('\n')));
    await opened(other.page);
    expect(await words(other.page, '.head')).toMatch(/E_LAB_TRACE_DAMAGED[\s\S]*Lines 21/);
  });
  test('70 MB with half a million events are read and listed', async () => {
    const { page, wrong } = await tests.browser.open(tests.html.replace('<!--DATA-->', ''), {
      hash: '#trace',
      height: 700,
    });
    const text = huge();
    expect(text.length).toBeGreaterThan(70e6);
    await drop(page, [tests.browser.file('large.ndjson', text)]);
    await page.waitForSelector('.list-row', { timeout: 120_000 });
    await page.keyboard.press('r');
    expect(await words(page, '.count')).toBe('500,001');
    expect(await page.locator('.list-row').count()).toBeLessThan(80);
    await page.focus('.list');
    await page.keyboard.press('End');
    expect(await words(page, '.detail')).toContain('event 500001');
    await expect.poll(() => page.isVisible('.list-row.is-active')).toBe(true);
    expect(wrong).toEqual([]);
  });
});

test('a file that is no trace opens on the page of records, and the trace stays', async () => {
  const { page, wrong } = await tests.browser.open(carried(GOOD));
  await opened(page);
  await choose(page, [tests.browser.file('values.txt', 'status=0x9c00180000000000 addr=0x87ee000 vendor=amd\n')]);
  await page.waitForSelector('.record');
  await expect.poll(() => page.title()).toContain('deferred');
  await page.keyboard.press('2');
  await expect.poll(() => page.title()).toBe('PASS amd-deferred · Syndrome');
  expect(wrong).toEqual([]);
});

test('the record of an event is opened bit by bit', async () => {
  const { page, wrong } = await tests.browser.open(carried(GOOD), { hash: '#trace?event=a85' });
  await opened(page);
  await page.click('text=open in Decode');
  await page.waitForSelector('.strip');
  expect(await words(page, '.record h1')).toContain('AMD machine check, deferred');
  expect(wrong).toEqual([]);
});

test('says on top what failed first, and leads to the line that shows it', async () => {
  const { page, wrong } = await tests.browser.open(carried(BAD));
  await opened(page);
  expect(await words(page, '.head-line')).toContain('5 of 11 expectations failed');
  expect(await words(page, '.note-fail')).toMatch(/^Failed first no guest\.mce-record was seen at all/);
  await page.keyboard.press('j');
  expect(await words(page, '.detail')).not.toContain('MSR access error');
  await page.click('.note-fail button');
  await expect.poll(() => words(page, '.detail')).toContain('MSR access error: WRMSR');
  expect(await words(page, '.event-meaning')).toBe('Access to a model-specific register faulted.');
  const passed = await tests.browser.open(carried(GOOD));
  await opened(passed.page);
  expect(await passed.page.locator('.note-fail').count()).toBe(0);
  expect(wrong).toEqual([]);
});

test('a link leads to the same moment', async () => {
  const { page } = await tests.browser.open(carried(GOOD));
  await opened(page);
  for (const key of ['n', 'n', 'n', 'w', 'w', 'r']) await page.keyboard.press(key);
  await expect.poll(() => page.evaluate('location.hash')).toMatch(/event=a\d+.*raw=1/);
  const hash = (await page.evaluate('location.hash')) as string;
  const again = await tests.browser.open(carried(GOOD), { hash });
  await opened(again.page);
  expect(await active(again.page)).toBe(await active(page));
  const label = (of: Page): Promise<string | null> => of.getAttribute('.lanes canvas', 'aria-label');
  expect(await label(again.page)).toBe(await label(page));
  expect(await words(again.page, '.count')).toBe(await words(page, '.count'));
});

test('is taken along as text, SVG and PNG', async () => {
  const { page, wrong } = await tests.browser.open(carried(BAD, GOOD));
  await opened(page);
  const clipboard = (): Promise<string> => page.evaluate('navigator.clipboard.readText()');
  const toast = (text: string): Promise<unknown> => page.waitForSelector(`.toast.is-shown >> text=${text}`);
  await page.click('[aria-label="Copy as text"]');
  await toast('text copied');
  expect(await clipboard()).toContain('first difference: WRMSR of MSR 0xc0002098');
  await page.click('[aria-label="Copy as SVG"]');
  await toast('SVG copied');
  expect(await clipboard()).toMatch(/^<svg [\s\S]*A {2}FAIL {2}amd-deferred[\s\S]*first difference[\s\S]*<\/svg>/);
  await page.click('[aria-label="Copy as PNG"]');
  await toast('PNG copied');
  const types = await page.evaluate('navigator.clipboard.read().then(items => items.flatMap(item => item.types))');
  expect(types).toContain('image/png');
  await page.click('[aria-label="Copy a link to this moment"]');
  await toast('link copied');
  expect(await clipboard()).toMatch(/^file:.*#trace\?event=a76&from=/);
  expect(wrong).toEqual([]);
});

describe('whoever wrote the trace, it stays text', () => {
  const nasty = (text: string): string =>
    traceText(
      [
        [1, 'lab', { name: 'lab.injected', fields: { kind: text, command: text } }],
        [2, 'guest', { name: 'guest.panic', raw: text, fields: { message: text } }],
        [3, 'guest', { raw: text }],
        [4, 'lab', { name: 'lab.value', fields: { name: text, value: text } }],
        [5, 'lab', { name: 'lab.error', fields: { code: text, message: text, hint: text } }],
      ],
      {
        scenario: text,
        tool: text,
        startedAt: text,
        outcome: text,
        parts: { kernel: text },
        expect: [`never: guest.panic message=${JSON.stringify(text)}`],
      },
    );
  test.each(NASTY.map((text, i) => [i, text] as const))('%i', async (_, text) => {
    const html_ = fillTemplate(tests.html, [
      { kind: 'trace', name: text, bytes: Buffer.from(nasty(text)) },
      { kind: 'trace', name: 'other', bytes: readFileSync(GOOD) },
    ]);
    for (const pageHtml of [html_, carriedText(nasty(text), text)]) {
      const { page, wrong } = await tests.browser.open(pageHtml);
      await page.waitForSelector('.list-row, [role=alert]');
      for (const key of ['r', 'j', 'j', 'n']) await page.keyboard.press(key);
      const strangers = await page.evaluate(
        "document.querySelectorAll('#app script, #app img, #app iframe, #app [onerror], #app [onload], #app a').length",
      );
      expect(strangers).toBe(0);
      await expect.poll(() => page.title()).toContain('Syndrome');
      // Nothing in the page turns text around, hides it, or speaks to a terminal.
      expect(await page.evaluate("document.getElementById('app').textContent")).not.toMatch(
        // oxlint-disable-next-line no-control-regex
        /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069\ufeff]/,
      );
      expect(wrong).toEqual([]);
    }
  });
});

describe.each(['light', 'dark'] as const)('in %s', scheme => {
  const lines = readFileSync(GOOD, 'utf8').split('\n');
  test.each(['empty', 'held', 'failed', 'compared', 'cut', 'damaged', 'newer', 'filtered', 'huge', 'keys', 'reading'])(
    'everybody can use the page: %s',
    async state => {
      const pages: Readonly<Record<string, () => string>> = {
        empty: () => fillTemplate(tests.html, []),
        newer: () => fillTemplate(tests.html, []),
        reading: () => fillTemplate(tests.html, []),
        compared: () => carried(BAD, GOOD),
        failed: () => carried(BAD),
        cut: () => carriedText(lines.slice(0, -3).join('\n')),
        damaged: () => carriedText(lines.toSpliced(20, 1, '{"seq":').join('\n')),
        huge: () => carriedText(huge()),
      };
      const none = ['empty', 'newer', 'reading'].includes(state);
      const { page } = await tests.browser.open(pages[state]?.() ?? carried(GOOD), {
        scheme,
        hash: none ? '#trace' : '',
      });
      if (!none) await opened(page);
      if (state === 'keys') await page.keyboard.press('?');
      if (state === 'filtered') await page.fill('.events input[type=search]', 'no event says this');
      if (state === 'newer') {
        await choose(page, [tests.browser.file('newer.ndjson', '{"type":"trace","version":99,"tool":"syndrome 9"}\n')]);
        await page.waitForSelector('[role=alert]');
      }
      if (state === 'reading') {
        // Of the file the beginning comes, and no more.
        await page.evaluate(
          'Blob.prototype.stream = function () { return new ReadableStream({ start: async to => to.enqueue(new Uint8Array(await this.slice(0, 2000).arrayBuffer())) }); }',
        );
        await choose(page, [GOOD]);
        await page.waitForSelector('progress');
      }
      expect(await accessFaults(page)).toEqual([]);
    },
  );
});

test.each([900, 1440, 3840])('nothing is cut off at %i px', async width => {
  for (const page_ of [carried(GOOD), carried(BAD, GOOD)]) {
    const { page } = await tests.browser.open(page_, { width, height: 900 });
    await opened(page);
    // A list with no height of its own would be as tall as all of its rows.
    expect(await page.evaluate("document.querySelector('.list').clientHeight - innerHeight")).toBeLessThan(0);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
  }
});

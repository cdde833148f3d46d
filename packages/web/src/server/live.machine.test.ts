/** The page from a server in a real browser: the list, a run that goes on, and what happens when the connection breaks. */
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OneTimeLinks } from '@syndrome/base/http/one-time-link.ts';
import { serve } from '@syndrome/base/http/serve.ts';
import { accessFaults, type Opened, TestBrowser } from '../testing/browser.ts';
import { DEFERRED, OVER_QEMU } from '../view/testing/matrices.ts';
import { BAD, GOOD, NASTY } from '../view/testing/runs.ts';
import { webApp } from './app.ts';

const tests = TestBrowser.ofTests();

/** A server behind a wire that can be cut: browsers come by its port. */
class Wire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #to: number;
  #port = 0;

  constructor(to: number) {
    this.#to = to;
    this.#server = createServer(socket => {
      const other = connect(this.#to, '127.0.0.1');
      for (const [one, two] of [
        [socket, other],
        [other, socket],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => {});
        one.on('close', () => (this.#sockets.delete(one), two.destroy()));
        one.pipe(two);
      }
    });
  }
  async join(): Promise<number> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
    return this.#port;
  }
  /** Breaks every connection; new ones are refused until it is joined again. */
  cut(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
  /** Nothing comes any more, and nothing says so. */
  stall(): void {
    for (const socket of this.#sockets) socket.pause().unpipe();
  }
}

let dir = '';
let stop: AbortController;
let ended: Promise<void>;
let wire: Wire;
let links: OneTimeLinks;
let port = 0;
let fd: number | undefined;
const at = (name: string): string => join(dir, 'traces', name);
beforeEach(async () => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'live-')));
  mkdirSync(join(dir, 'traces'));
  stop = new AbortController();
  links = new OneTimeLinks();
  const app = webApp({
    roots: [{ name: 'traces', path: join(dir, 'traces') }],
    template: tests.html,
    links,
    signal: stop.signal,
    onFault: error => {
      throw error;
    },
  });
  const served = await serve(app, { port: 0 }, stop.signal);
  ended = served.ended;
  wire = new Wire(served.port ?? 0);
  port = await wire.join();
});
afterEach(async () => {
  if (fd !== undefined) closeSync(fd);
  fd = undefined;
  stop?.abort();
  await ended;
  wire?.cut();
  rmSync(dir, { recursive: true, force: true });
});

/** Puts a file there that nobody writes. */
const put = (from: string, name: string): void => {
  copyFileSync(from, at(name));
  const when = Date.now() / 1000 - 7200;
  utimesSync(at(name), when, when);
};
const LINES = readFileSync(GOOD, 'utf8').split(/(?<=\n)/);
const INJECTED = LINES.findIndex(line => line.includes('"lab.injected"')) + 1;
/** Writes lines of a run that goes on. */
const writes = (from: number, to?: number): void => {
  fd ??= openSync(at('run.ndjson'), 'w');
  writeSync(fd, LINES.slice(from, to).join(''));
};
const visit = (options: Parameters<TestBrowser['visit']>[1] = {}): Promise<Opened> =>
  tests.browser.visit(`http://127.0.0.1:${port}${links.link()}`, options);
const words = async (page: Page, selector: string): Promise<string> => (await page.textContent(selector)) ?? '';
const shows = (page: Page, selector: string) => expect.poll(() => words(page, selector), { timeout: 20_000 });
/** All events that the list of the page has, once it lists every line. */
const everyLine = async (page: Page): Promise<string> => {
  if (!(await page.isChecked('.events input[type=checkbox]'))) await page.keyboard.press('r');
  return words(page, '.count');
};
/** A connection that breaks is told by the browser too. */
const faultsOf = (wrong: readonly string[]): string[] => wrong.filter(text => !text.includes('net::ERR_'));

describe('the list', () => {
  test('comes without the token in the address, and opens a trace; a reload leads to it again', async () => {
    put(GOOD, 'good.ndjson');
    put(BAD, 'bad.ndjson');
    const { page, wrong } = await visit();
    await shows(page, '.runs').toMatch(/FAIL.*amd-deferred panicked.*traces\/bad\.ndjson/s);
    await expect.poll(() => page.url()).toBe(`http://127.0.0.1:${port}${links.folder}#runs`);
    expect(await page.title()).toBe('Runs · Syndrome');
    await page.goBack();
    expect(page.url()).not.toContain('token');
    await page.goForward();
    await page.click('.file-row >> text=bad.ndjson');
    await page.waitForSelector('.lanes canvas');
    await expect.poll(() => page.title()).toBe('FAIL amd-deferred · Syndrome');
    await expect.poll(() => page.url()).toContain('run=traces%2Fbad.ndjson');
    const active = await words(page, '.list-row.is-active');
    await page.reload();
    await page.waitForSelector('.lanes canvas');
    expect(await words(page, '.list-row.is-active')).toBe(active);
    expect(wrong).toEqual([]);
  });
  test('is walked and filtered without a pointer, by the table that ? shows', async () => {
    put(GOOD, 'good.ndjson');
    put(BAD, 'bad.ndjson');
    const { page, wrong } = await visit();
    await shows(page, '.runs').toContain('FAIL');
    const { keyboard } = page;
    await keyboard.press('/');
    await keyboard.type('panicked');
    expect(await page.locator('.file-row').count()).toBe(1);
    await keyboard.press('Escape');
    expect(await page.locator('.file-row').count()).toBe(2);
    await keyboard.press('j');
    const first = await words(page, '.list-row.is-active');
    await keyboard.press('j');
    expect(await words(page, '.list-row.is-active')).not.toBe(first);
    await keyboard.press('?');
    expect(await words(page, 'dialog')).toContain('compare it with the trace that is open');
    await keyboard.press('Escape');
    // With the next frame the focus leaves the button of the dialog, whose Enter would be.
    await expect.poll(() => page.evaluate('document.activeElement === document.body')).toBe(true);
    await keyboard.press('Enter');
    await page.waitForSelector('.lanes canvas');
    await keyboard.press('4');
    await page.waitForSelector('.file-row');
    // What was chosen is chosen still; the other is set beside it.
    await keyboard.press('k');
    await keyboard.press('c');
    await page.waitForSelector('.compare-head');
    await expect.poll(() => page.url()).toMatch(/run=traces%2F\w+\.ndjson&with=traces%2F\w+\.ndjson/);
    await page.reload();
    await page.waitForSelector('.compare-head');
    expect(wrong).toEqual([]);
  });
  test('says where it looks while there is nothing, and what comes appears by itself', async () => {
    const { page, wrong } = await visit();
    await shows(page, '.runs').toContain(join(dir, 'traces'));
    expect(await words(page, '.runs')).toContain('No runs yet');
    put(GOOD, 'good.ndjson');
    await shows(page, '.runs').toMatch(/PASS.*amd-deferred/s);
    expect(wrong).toEqual([]);
  });
  test('opens a matrix, and the traces behind its cells', async () => {
    writeFileSync(at('m.json'), DEFERRED);
    put(BAD, 'pair-amd-deferred-6.19.6.ndjson');
    put(GOOD, 'pair-amd-deferred-7.3.4.ndjson');
    const { page, wrong } = await visit();
    await shows(page, '.runs').toContain('6 cells over kernels, 2 failed');
    await page.click('.file-row >> text=m.json');
    await page.waitForSelector('.matrix-table');
    expect(await words(page, '.matrix-head')).toContain('amd-deferred');
    await page.keyboard.press('o');
    await page.waitForSelector('.lanes canvas');
    await expect.poll(() => page.title()).toBe('FAIL amd-deferred · Syndrome');
    await expect.poll(() => page.url()).toMatch(/#trace.*file=traces%2Fm\.json/);
    await page.reload();
    await page.waitForSelector('.lanes canvas');
    await page.keyboard.press('3');
    await page.waitForSelector('.matrix-table');
    expect(wrong).toEqual([]);
  });
  test('follows a matrix that is being measured: what is looked at stays', async () => {
    const { cells, ...head } = JSON.parse(DEFERRED) as { cells: object[] };
    const measured = (count: number): void =>
      writeFileSync(at('m.json'), JSON.stringify({ ...head, cells: cells.slice(0, count) }));
    measured(3);
    const { page, wrong } = await visit();
    await shows(page, '.runs').toContain('3 cells over kernels, 1 failed');
    await page.click('.file-row');
    await page.waitForSelector('.matrix-table');
    await page.keyboard.press('p');
    const chosen = await words(page, '.matrix-table [tabindex="0"]');
    expect(await words(page, '.matrix-table')).not.toContain('7.3.4');
    put(GOOD, 'pair-amd-deferred-7.3.4.ndjson');
    measured(6);
    await shows(page, '.matrix-table').toContain('7.3.4');
    expect(await words(page, '.matrix-table [tabindex="0"]')).toBe(chosen);
    expect(wrong).toEqual([]);
  });
  test('asks again for a matrix that it could not get', async () => {
    const { cells, ...head } = JSON.parse(DEFERRED) as { cells: object[] };
    const measured = (count: number): void =>
      writeFileSync(at('m.json'), JSON.stringify({ ...head, cells: cells.slice(0, count) }));
    measured(3);
    const { page } = await visit();
    await shows(page, '.runs').toContain('3 cells over kernels, 1 failed');
    await page.click('.file-row');
    await page.waitForSelector('.matrix-table');
    await page.evaluate(
      "fetch = (fetch => url => (url.includes('api/file') && !window.lost ? (window.lost = true, Promise.reject(new Error('lost'))) : fetch(url)))(fetch)",
    );
    measured(6);
    await expect.poll(() => page.evaluate('window.lost'), { timeout: 20_000 }).toBe(true);
    await shows(page, '.matrix-table').toContain('7.3.4');
  });
  test('follows one over versions of QEMU: what is to be measured is hollow until it is', async () => {
    const { cells, versions: _, ...head } = JSON.parse(OVER_QEMU) as { cells: object[]; versions: string[] };
    const versions = ['5.2', '7.2', '10.0.13', '11.1.3'];
    const measured = (count: number): void =>
      writeFileSync(at('m.json'), JSON.stringify({ ...head, cells: cells.slice(0, count), versions }));
    measured(2);
    const { page, wrong } = await visit();
    await shows(page, '.runs').toContain('2 cells over QEMU versions, 1 failed');
    await page.click('.file-row');
    await page.waitForSelector('.matrix-table');
    const hollow = page.locator('.cell.is-hollow');
    expect(await hollow.count()).toBe(2);
    measured(3);
    await expect.poll(() => hollow.count(), { timeout: 20_000 }).toBe(1);
    measured(4);
    await expect.poll(() => hollow.count(), { timeout: 20_000 }).toBe(0);
    expect(await words(page, '.matrix-table [tabindex="0"]')).toContain('fail');
    expect(wrong).toEqual([]);
  });
  test('says when a file has gone', async () => {
    put(GOOD, 'good.ndjson');
    const { page } = await visit();
    await shows(page, '.runs').toContain('PASS');
    await page.evaluate("fetch = (fetch => url => fetch(url.replace('good', 'gone')))(fetch)");
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await expect.poll(() => words(page, '[role=alert]')).toContain('there is no such file in the list');
  });
  test('is stale when the server is not heard, and never green then', async () => {
    put(GOOD, 'good.ndjson');
    const { page, wrong } = await visit();
    await shows(page, '.runs').toContain('live');
    const green = await page.evaluate("getComputedStyle(document.querySelector('.verdict-pass')).color");
    wire.cut();
    await shows(page, '.runs').toMatch(/stale: the server was last heard \d+ s ago/);
    expect(await page.evaluate("getComputedStyle(document.querySelector('.verdict-pass')).color")).not.toBe(green);
    await wire.join();
    await shows(page, '.runs').toContain('live');
    expect(faultsOf(wrong)).toEqual([]);
  });
  test.each(NASTY.map((text, i) => [i, text] as const))(
    'whoever named a file, its name stays text: %i',
    async (_, text) => {
      const name = `${text.replace(/[/\0]/g, '|').slice(0, 200)}.ndjson`;
      const header = JSON.stringify({
        ...(JSON.parse(LINES[0] ?? '') as object),
        scenario: text,
        parts: { kernel: text },
      });
      writeFileSync(at(name), `${header}\n${LINES.slice(1).join('')}`);
      const { page, wrong } = await visit();
      await page.waitForSelector('.file-row');
      const strangers =
        "document.querySelectorAll('#app script, #app img, #app iframe, #app [onerror], #app [onload], #app a').length";
      expect(await page.evaluate(strangers)).toBe(0);
      expect(await page.evaluate("document.getElementById('app').textContent")).not.toMatch(
        // oxlint-disable-next-line no-control-regex
        /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069\ufeff]/,
      );
      await page.click('.file-row');
      await page.waitForSelector('.list-row, [role=alert]');
      // The address follows once nothing changes any more.
      await page.waitForURL(/#trace\?/);
      await page.reload();
      await page.waitForSelector('.list-row, [role=alert]');
      expect(await page.evaluate(strangers)).toBe(0);
      expect(wrong).toEqual([]);
    },
  );
});

describe('a run that goes on', () => {
  /** The page of it. */
  const watched = async (): Promise<Opened> => {
    const opened = await visit();
    await shows(opened.page, '.runs').toContain('RUNNING');
    await opened.page.click('.file-row');
    await opened.page.waitForSelector('.lanes canvas');
    return opened;
  };
  test('is followed event by event, and judged when it has ended', async () => {
    writes(0, 10);
    const { page, wrong } = await watched();
    expect(await words(page, '.head')).toMatch(/RUNNING.*amd-deferred.*live/s);
    await expect.poll(() => page.title()).toBe('RUNNING amd-deferred · Syndrome');
    expect(await words(page, '.head')).not.toContain('E_LAB_TRACE_CUT');
    const last = await words(page, '.list-row.is-active');
    writes(10, INJECTED);
    await shows(page, '.list-row.is-active').toContain('INJECT');
    expect(await words(page, '.list-row.is-active')).not.toBe(last);
    // Nothing is broken because it has not come yet.
    expect(await words(page, '.expectations')).not.toContain('failed');
    writes(INJECTED);
    closeSync(fd ?? -1);
    fd = undefined;
    await shows(page, '.head').toContain('PASS');
    await expect.poll(() => page.title()).toBe('PASS amd-deferred · Syndrome');
    expect(await words(page, '.expectations .pane-head')).toContain('11 held');
    expect(await page.isVisible('text=follow the end')).toBe(false);
    expect(wrong).toEqual([]);
  });
  test('is left where it is by who looks at something else, until e follows again', async () => {
    writes(0, INJECTED);
    const { page, wrong } = await watched();
    const active = (): Promise<string> => words(page, '.list-row.is-active');
    const pressed = (): Promise<string | null> => page.getAttribute('text=follow the end', 'aria-pressed');
    expect(await pressed()).toBe('true');
    await page.keyboard.press('k');
    const chosen = await active();
    expect(await pressed()).toBe('false');
    const count = await words(page, '.count');
    writes(INJECTED, INJECTED + 20);
    await shows(page, '.count').not.toBe(count);
    expect(await active()).toBe(chosen);
    await page.keyboard.press('e');
    expect(await pressed()).toBe('true');
    expect(await active()).not.toBe(chosen);
    // Who scrolls reads something.
    await page.hover('.events .list');
    await page.mouse.wheel(0, -400);
    await expect.poll(pressed).toBe('false');
    const top = await page.evaluate("document.querySelector('.events .list').scrollTop");
    const before = await words(page, '.count');
    writes(INJECTED + 20, INJECTED + 40);
    await shows(page, '.count').not.toBe(before);
    expect(await page.evaluate("document.querySelector('.events .list').scrollTop")).toBe(top);
    expect(wrong).toEqual([]);
  });
  test('goes on where it was after the connection broke, with nothing lost or twice', async () => {
    writes(0, INJECTED);
    const { page, wrong } = await watched();
    wire.cut();
    await shows(page, '.head').toContain('STALE');
    await expect.poll(() => page.title()).toBe('STALE amd-deferred · Syndrome');
    expect(await words(page, '.head')).toMatch(/stale: the server was last heard \d+ s ago/);
    const colours =
      "['.verdict', '.mark'].flatMap(c => [...document.querySelectorAll(c)]).map(e => getComputedStyle(e).color)";
    expect(new Set((await page.evaluate(colours)) as string[]).size).toBe(1);
    writes(INJECTED, INJECTED + 20);
    await wire.join();
    await shows(page, '.head').toContain('RUNNING');
    await expect.poll(() => everyLine(page)).toBe(String(INJECTED + 19));
    writes(INJECTED + 20);
    closeSync(fd ?? -1);
    fd = undefined;
    await shows(page, '.head').toContain('PASS');
    expect(await everyLine(page)).toBe(String(LINES.length - 1));
    expect(await words(page, '.head')).not.toContain('E_LAB_TRACE');
    expect(faultsOf(wrong)).toEqual([]);
  });
  test('is stale too when nothing comes and nothing says so', async () => {
    writes(0, INJECTED);
    const { page } = await watched();
    wire.stall();
    await expect.poll(() => words(page, '.head'), { timeout: 20_000 }).toContain('STALE');
  });
  test('that another run takes the file of is shown anew', async () => {
    writes(0, INJECTED + 20);
    const { page, wrong } = await watched();
    ftruncateSync(fd ?? -1, 0);
    closeSync(fd ?? -1);
    fd = openSync(at('run.ndjson'), 'r+');
    const other = LINES.slice(0, 12)
      .join('')
      .replace('"startedAt":"2', '"startedAt":"3')
      .replace('amd-deferred', 'another');
    writeSync(fd, other);
    await shows(page, '.head').toMatch(/RUNNING.*another/s);
    expect(await everyLine(page)).toBe('11');
    expect(wrong).toEqual([]);
  });
  test('is followed as it goes on by a link that is typed, too', async () => {
    put(GOOD, 'good.ndjson');
    writes(0, INJECTED);
    const { page, wrong } = await visit();
    await page.click('.file-row >> text=good.ndjson');
    await page.waitForURL(/run=traces%2Fgood/);
    await page.evaluate("location.hash = '#trace?run=traces%2Frun.ndjson'");
    await shows(page, '.head').toMatch(/RUNNING.*live/s);
    writes(INJECTED, INJECTED + 20);
    await expect.poll(() => everyLine(page), { timeout: 20_000 }).toBe(String(INJECTED + 19));
    await page.goBack();
    await shows(page, '.head').toContain('PASS');
    expect(wrong).toEqual([]);
  });
  test('that was killed says so', async () => {
    writes(0, INJECTED);
    const { page } = await watched();
    appendFileSync(at('run.ndjson'), '{"seq":');
    closeSync(fd ?? -1);
    fd = undefined;
    await expect.poll(() => words(page, '.head'), { timeout: 30_000 }).toMatch(/ERROR.*E_LAB_TRACE/s);
  });
  test('keeps no connection while nobody sees the page, and goes on when it is seen', async () => {
    writes(0, INJECTED);
    const { page } = await watched();
    const see = (state: string): Promise<unknown> =>
      page.evaluate(
        `Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true }); document.dispatchEvent(new Event('visibilitychange'))`,
      );
    const gone = page.waitForEvent('requestfailed', request => request.url().includes('api/follow'));
    await page.clock.install();
    await see('hidden');
    await gone;
    // A tab in the background says what was known, for it asks nobody.
    await page.clock.runFor(60_000);
    expect(await page.title()).toMatch(/^RUNNING/);
    writes(INJECTED, INJECTED + 20);
    await see('visible');
    await expect.poll(() => everyLine(page), { timeout: 20_000 }).toBe(String(INJECTED + 19));
  });
});

describe.each(['light', 'dark'] as const)('in %s', scheme => {
  test.each(['list', 'none', 'stale', 'trouble', 'running', 'keys', 'huge'])(
    'everybody can use the page: %s',
    async state => {
      if (state !== 'none') {
        put(GOOD, 'good.ndjson');
        put(BAD, 'bad.ndjson');
        writeFileSync(at('damaged.ndjson'), '{"type":"trace","version":99}\n');
        writes(0, INJECTED);
      }
      if (state === 'huge') for (let i = 0; i < 1200; i++) put(i % 3 === 0 ? BAD : GOOD, `run-${i}.ndjson`);
      const { page } = await visit({ scheme });
      await shows(page, '.runs').toContain(state === 'none' ? 'No runs yet' : 'RUNNING');
      if (state === 'trouble') {
        await page.evaluate("fetch = () => Promise.reject(new Error('no'))");
        await page.click('.file-row >> text=good.ndjson');
        await page.waitForSelector('[role=alert]');
      }
      if (state === 'keys') await page.keyboard.press('?');
      if (state === 'running') {
        await page.click('.file-row >> text=run.ndjson');
        await page.waitForSelector('.lanes canvas');
      }
      if (state === 'stale') {
        wire.cut();
        await shows(page, '.runs').toContain('stale');
      }
      expect(await accessFaults(page)).toEqual([]);
    },
  );
});

test.each([900, 1440, 3840])('nothing is cut off at %i px', async width => {
  put(GOOD, `${'long-'.repeat(40)}.ndjson`);
  const { page } = await visit({ width });
  await shows(page, '.runs').toContain('PASS');
  expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
  expect(await page.evaluate("document.querySelector('.list').clientHeight - innerHeight")).toBeLessThan(0);
});

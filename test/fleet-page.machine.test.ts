/** The page of a fleet in a real browser, against the API of a real controller with its store. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TestSite } from '@syndrome/supervisor/rest/testing/site.ts';
import { servedPage } from '@syndrome/web/served.ts';
import { template } from '@syndrome/web/template.ts';
import { accessFaults, type Opened, type OpenOptions, TestBrowser } from '@syndrome/web/testing/browser.ts';

const tests = TestBrowser.ofTests();
const EVIL = '<img src=x onerror=alert(1)>';

/** A way to the controller that can be cut. */
class Way {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  open = true;

  constructor(to: number) {
    this.#server = createServer(socket => {
      if (!this.open) return socket.destroy();
      const other = connect(to, '127.0.0.1');
      for (const end of [socket, other]) {
        this.#sockets.add(end);
        end.on('error', () => {}).on('close', () => [socket, other].forEach(one => one.destroy()));
      }
      socket.pipe(other).pipe(socket);
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  cut(): void {
    this.open = false;
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

let site: TestSite;
let way: Way;
let url: string;
beforeAll(async () => {
  site = await TestSite.start();
  await site.serve({ port: 0 }, async () => servedPage(await template('fleet'), 'fleet'));
  await site.story();
  way = new Way(Number(/the API is at 127\.0\.0\.1:(\d+)/.exec(site.log.join('\n'))?.[1]));
  url = await way.listen();
});
afterAll(async () => {
  way.close();
  await site.stop();
});

async function entered(options: OpenOptions = {}): Promise<Opened> {
  const opened = await tests.browser.visit(url, options);
  await opened.page.fill('.token', site.tokens.vera);
  await opened.page.keyboard.press('Enter');
  await opened.page.waitForSelector('.fleet >> text=live');
  return opened;
}
/** What went wrong, without what the browser says of a connection that the test has cut, or of an answer that refuses. */
const faults = (wrong: readonly string[]): string[] =>
  wrong.filter(text => !text.startsWith('Failed to load resource'));
const words = (page: Page, selector: string): Promise<string> => page.locator(selector).first().innerText();
const numbers = (page: Page): Promise<number[]> =>
  page
    .locator('.fleet-decisions li')
    .evaluateAll(items => items.map(item => (item as unknown as { value: number }).value));
const counted = async (): Promise<number> =>
  Number((await site.store.query('select count(*) as n from decision'))[0]?.['n']);

test('nobody is shown anything without a token', async () => {
  const { page, wrong } = await tests.browser.visit(url);
  await page.fill('.token', 'syn_of-nobody');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[role=alert] >> text=the token is none of this site');
  expect(await page.locator('.square').count()).toBe(0);
  expect(await accessFaults(page)).toEqual([]);
  expect(faults(wrong)).toEqual([]);
});

describe('who has one', () => {
  beforeEach(() => void (way.open = true));
  test('sees a VM that nobody can prove to have stopped first, as it happens', async () => {
    const { page, wrong } = await entered();
    expect(await page.locator('.square-marked').innerText()).toContain('a');
    expect(await page.locator('.fleet-unproven').count()).toBe(0);
    await site.unproven();
    await page.waitForSelector('.list-row.fleet-unproven');
    expect(await words(page, '.list-row')).toContain('db has no proof that it stopped');
    expect(await words(page, '.fleet-sum')).toContain('1 unproven');
    await expect.poll(() => page.title()).toBe('1 UNPROVEN Fleet · Syndrome');
    await page.click('.list-row >> nth=0');
    await expect.poll(() => words(page, '.fleet-table')).toContain('core/never-twice');
    await expect
      .poll(() => page.locator('.fleet-details canvas').evaluate(canvas => canvas.clientHeight))
      .toBeGreaterThan(100);
    expect(faults(wrong)).toEqual([]);
  });

  test('is told when it is stale, which is never green, and misses nothing', async () => {
    const { page, wrong } = await entered();
    const colour = (): Promise<unknown> =>
      page.evaluate('getComputedStyle(document.querySelector(".square-ok")).color');
    const green = await colour();
    const before = await counted();
    way.cut();
    await page.waitForSelector('.stale-words');
    await expect.poll(() => page.title()).toBe('STALE Fleet · Syndrome');
    expect(await colour()).not.toBe(green);
    const d = site.peer('d');
    d.vm(EVIL);
    d.page(EVIL, 0x30n);
    await d.settled();
    await expect.poll(counted).toBeGreaterThan(before);
    way.open = true;
    await page.waitForSelector('.fleet >> text=live');
    const last = await counted();
    await expect.poll(async () => (await numbers(page))[0]).toBeGreaterThanOrEqual(last);
    // Each once, without a gap.
    const seen = await numbers(page);
    const [newest = 0] = seen;
    expect(seen).toEqual(seen.map((_, i) => newest - i));
    expect(seen.length).toBeGreaterThan(newest - before);
    await expect.poll(() => page.locator('.square').filter({ hasText: /^• d / }).count()).toBe(1);
    expect(await colour()).toBe(green);
    // What a host calls its VM stays text.
    await expect
      .poll(() =>
        page
          .locator('.list-row')
          .allInnerTexts()
          .then(rows => rows.join('\n')),
      )
      .toContain(EVIL);
    expect(await page.locator('img').count()).toBe(0);
    expect(faults(wrong)).toEqual([]);
  });

  test('goes back over the ledger to what was known at an input', async () => {
    const { page, wrong } = await entered();
    const inputs = Number(await page.getAttribute('#input', 'max'));
    const rows = await page.locator('.list-row').count();
    await page.keyboard.press('[');
    await page.waitForSelector('text=as known then');
    expect(await words(page, '.fleet-at')).toMatch(new RegExp(`^input \\d+ of \\d+`));
    await page.locator('#input').fill('0');
    await page.waitForSelector('text=Nothing that is known needs a look.');
    expect(await page.locator('.square').count()).toBe(0);
    // Green is what is known to be well now.
    await page.locator('#input').fill(String(inputs - 1));
    await page.waitForSelector('.is-past .square-ok');
    await page.keyboard.press('n');
    await page.waitForSelector('.fleet:not(.is-past)');
    expect(await page.locator('.list-row').count()).toBe(rows);
    expect(faults(wrong)).toEqual([]);
  });

  test('goes from row to row by keys, which ? shows', async () => {
    const { page, wrong } = await entered();
    const active = (): Promise<string> => words(page, '.list-row.is-active');
    await expect.poll(active).toContain('db has no proof');
    await page.keyboard.press('j');
    await expect.poll(active).not.toContain('db has no proof');
    await page.keyboard.press('k');
    await expect.poll(active).toContain('db has no proof');
    const all = await page.locator('.list-row').count();
    await page.keyboard.press('/');
    await page.keyboard.type('db');
    await expect.poll(() => page.locator('.list-row').count()).toBeLessThan(all);
    expect(await words(page, '.list-row')).toContain('db');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('.list-row').count()).toBe(all);
    await page.keyboard.press('?');
    expect(await words(page, '.keys')).toContain('what was known one input earlier');
    expect(faults(wrong)).toEqual([]);
  });

  test.each([
    ['light', 1440],
    ['dark', 1440],
    ['light', 900],
  ] as const)('can use the page, %s, %i px', async (scheme, width) => {
    const { page } = await entered({ scheme, width });
    await page.waitForSelector('.fleet-table');
    expect(await accessFaults(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await page.keyboard.press('[');
    await page.waitForSelector('.is-past .square');
    expect(await accessFaults(page)).toEqual([]);
  });
});

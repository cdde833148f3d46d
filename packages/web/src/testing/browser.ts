/** A real browser for tests of pages: from a file, without a network, and with an ear for everything that goes wrong. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { testChromium } from '@syndrome/lab/supply/testing/chromium.ts';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { template } from '../template.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What a page does that it must not: errors, refusals of its policy, requests, dialogs. */
const LISTEN = `addEventListener('securitypolicyviolation', event => console.error('refused ' + event.violatedDirective + ' ' + event.blockedURI));`;

export interface OpenOptions {
  width?: number;
  height?: number;
  scheme?: 'light' | 'dark';
  scripts?: boolean;
  /** Of a file that leads to a server. */
  online?: boolean;
  /** How far the page has to be: `load` is all of it. */
  until?: 'load' | 'commit';
}

export interface Opened {
  page: Page;
  /** Empty where all is well. */
  wrong: string[];
}

/** One browser, and pages in it. */
export class TestBrowser {
  readonly version: string;
  readonly #browser: Browser;
  readonly #folder = mkdtempSync(join(tmpdir(), 'syndrome-page-'));
  #files = 0;

  private constructor(browser: Browser, version: string) {
    this.#browser = browser;
    this.version = version;
  }

  static async start(): Promise<TestBrowser> {
    const { program, version } = await testChromium();
    const args = ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none'];
    return new TestBrowser(await chromium.launch({ executablePath: program, args }), version);
  }

  /** Why there is no browser here; undefined where the reason is no lack of a mirror. */
  static #lack(error: unknown): string | undefined {
    const { code, message } = error as { code?: string; message: string };
    return /^E_SUPPLY_(?:NETWORK|NO_MIRROR|OFFLINE|NOT_DEBIAN)$/.test(code ?? '') ? message : undefined;
  }

  /**
   * The browser of a test file and what its pages are made of, from before its first test to behind the last. Its tests are
   * skipped where no mirror gives a browser.
   */
  static ofTests(): { readonly browser: TestBrowser; readonly html: string } {
    let browser: TestBrowser | undefined;
    let missing: string | undefined;
    let html = '';
    beforeAll(async () => {
      html = await template();
      try {
        browser = await TestBrowser.start();
      } catch (error) {
        missing = TestBrowser.#lack(error);
        if (missing === undefined) throw error;
      }
    });
    beforeEach(context => skipWithout(context, 'mirror', missing));
    afterAll(() => browser?.close());
    return {
      get browser() {
        if (browser === undefined) throw new Error('a browser is there in tests only');
        return browser;
      },
      get html() {
        return html;
      },
    };
  }

  /** Opens a page from a file, with the network off. */
  async open(html: string, options: OpenOptions & { hash?: string } = {}): Promise<Opened> {
    const { hash = '' } = options;
    const file = this.file(`page-${++this.#files}.html`, html);
    return await this.visit(`file://${file}${hash}`, options);
  }

  /** Opens an address: of a file, or with the network on of a server that the test has started. */
  async visit(url: string, options: OpenOptions = {}): Promise<Opened> {
    const { width = 1440, height = 900, scheme = 'light', scripts = true, online = false } = options;
    const isFile = url.startsWith('file:');
    const context = await this.#browser.newContext({
      offline: isFile && !online,
      viewport: { width, height },
      colorScheme: scheme,
      javaScriptEnabled: scripts,
      reducedMotion: 'reduce',
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const page = await context.newPage();
    const wrong: string[] = [];
    page.on('console', message => message.type() === 'error' && wrong.push(message.text()));
    page.on('pageerror', error => wrong.push(String(error.stack)));
    page.on('dialog', dialog => wrong.push(`dialog ${dialog.message()}`));
    const allowed = (to: string): boolean =>
      /^(?:file|data|blob):/.test(to) || (!isFile && new URL(to).origin === new URL(url).origin);
    page.on('request', request => allowed(request.url()) || wrong.push(`request ${request.url()}`));
    await page.addInitScript(LISTEN);
    await page.goto(url, { waitUntil: options.until ?? 'load' });
    return { page, wrong };
  }

  /** A file that a page is given. */
  file(name: string, content: string | Uint8Array): string {
    const path = join(this.#folder, name);
    writeFileSync(path, content);
    return path;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/**
 * Drops files of the disk onto a page, as a desktop does, when it is shown: the browser is told, and makes the events.
 * @param target an element under the pointer while something is dragged
 */
export async function drop(page: Page, files: readonly string[], target = '[data-drop=open]'): Promise<void> {
  await page.locator('.opening').waitFor({ state: 'detached' });
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [...files], dragOperationsMask: 1 };
  const send = async (type: 'dragEnter' | 'dragOver' | 'drop', x: number, y: number): Promise<void> => {
    await session.send('Input.dispatchDragEvent', { type, x, y, data });
  };
  await send('dragEnter', 5, 5);
  await send('dragOver', 5, 5);
  const box = await page.locator(target).boundingBox();
  if (!box) throw new Error(`${target} is not there while something is dragged`);
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await send('dragOver', x, y);
  await send('drop', x, y);
  await session.detach();
}

/**
 * What WCAG 2.0 to 2.2, A and AA, and good practice say against a page as it is now.
 * @param without what is taken away before: rows of a table that are as those above them, in whose number it would be lost
 */
export async function accessFaults(page: Page, without?: string): Promise<string[]> {
  if (without !== undefined)
    await page.evaluate(`document.querySelectorAll(${JSON.stringify(without)}).forEach(e => e.remove())`);
  await page.evaluate(AXE);
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const { violations } = (await page.evaluate(`axe.run({ runOnly: ${JSON.stringify(tags)} })`)) as {
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(
      ({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary.replace(/\s+/g, ' ').slice(0, 300)}`,
    ),
  );
}

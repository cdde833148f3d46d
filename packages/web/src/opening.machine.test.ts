/** What a person sees, and can do, before the script of a page has run: its file comes slowly here, and stops before the script. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { fillTemplate } from './template.ts';
import { accessFaults, type Opened, type OpenOptions, TestBrowser } from './testing/browser.ts';

const tests = TestBrowser.ofTests();

/** A page whose file has come up to its script; `rest` sends that. */
async function halfOpened(options: OpenOptions, use: (opened: Opened, rest: () => void) => Promise<void>) {
  const html = fillTemplate(tests.html, []);
  const at = html.indexOf('id="syndrome">') + 5000;
  let answer: ServerResponse | undefined;
  const server = createServer((_, response) => {
    answer = response.setHeader('content-type', 'text/html');
    answer.write(html.slice(0, at));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const opened = await tests.browser.visit(url, { ...options, until: 'commit' });
    await opened.page.waitForSelector('text=opening …');
    await use(opened, () => answer?.end(html.slice(at)));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** In the page: tells whether a file that is dragged over it now would be taken. */
const DRAGGED = `(() => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File(['status 0xbd80000000100134'], 'one.log'));
  globalThis.fire = type => !dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
})()`;

test.each([
  [1440, 'light'],
  [900, 'dark'],
] as const)('brand and pages stand where they stay, %i px wide, %s', async (width, scheme) => {
  await halfOpened({ width, scheme }, async ({ page, wrong }, rest) => {
    expect(await page.locator('.pages button').allTextContents()).toEqual(['Decode', 'Trace', 'Matrix']);
    expect(await accessFaults(page)).toEqual([]);
    await page.evaluate('globalThis.before = [...document.querySelectorAll(".top, .brand, .pages, .private")]; 0');
    const boxes = `before.map(element => { const { x, y, width, height } = element.getBoundingClientRect(); return [x, y, width, height]; })`;
    const stood = await page.evaluate(boxes);
    rest();
    await page.waitForSelector('.paste');
    expect(await page.evaluate('before.every(element => element.isConnected)')).toBe(true);
    expect(await page.evaluate(boxes)).toEqual(stood);
    expect(await page.locator('.opening').count()).toBe(0);
    expect(wrong).toEqual([]);
  });
});

test('colours that were chosen before are there before anything is drawn', async () => {
  await halfOpened({}, async ({ page }) => {
    await page.evaluate('localStorage.setItem("syndrome-theme", "dark")');
    await page.reload({ waitUntil: 'commit' });
    await page.waitForSelector('text=opening …');
    expect(await page.getAttribute('html', 'data-theme')).toBe('dark');
  });
});

test('a file that is dropped before the script has come is read when it has', async () => {
  await halfOpened({}, async ({ page, wrong }, rest) => {
    await page.evaluate(DRAGGED);
    expect(await page.evaluate('[fire("dragover"), fire("drop")]')).toEqual([true, true]);
    rest();
    await page.waitForSelector('.strip');
    expect(wrong).toEqual([]);
  });
});

test('at no moment is a dragged file left to the browser', async () => {
  await halfOpened({}, async ({ page, wrong }, rest) => {
    await page.evaluate(DRAGGED);
    await page.evaluate(`globalThis.taken = new Promise(resolve => {
      new MutationObserver((_, observer) => {
        if (document.querySelector('.opening')) return;
        observer.disconnect();
        resolve(fire('dragover'));
      }).observe(document.getElementById('app'), { childList: true, subtree: true });
    }); 0`);
    rest();
    expect(await page.evaluate('taken')).toBe(true);
    expect(wrong).toEqual([]);
  });
});

test('where scripts are not allowed, nothing is promised', async () => {
  const { page } = await tests.browser.open(fillTemplate(tests.html, []), { scripts: false });
  expect(await page.isVisible('noscript')).toBe(true);
  expect(await page.isVisible('.top')).toBe(false);
});

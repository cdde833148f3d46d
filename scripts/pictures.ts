/**
 * `npm run docs:pictures`: takes the pictures of picture-list.ts of the pages as they are, and the list of a server, in the
 * Chromium of the tests.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { serve } from '@syndrome/base/http/serve.ts';
import { testChromium } from '@syndrome/lab/supply/testing/chromium.ts';
import { TestSite } from '@syndrome/supervisor/rest/testing/site.ts';
import { servedPage } from '@syndrome/web/served.ts';
import { webApp } from '@syndrome/web/server/app.ts';
import { fillTemplate, type PageFile, template } from '@syndrome/web/template.ts';
import { runChild } from './child.mjs';
import { commandLine } from './command-line.ts';
import { LIST_SCHEMES, LISTED, MEASURED, MOMENTS, PICTURES, VERSION_FILE } from './picture-list.ts';

const { values } = commandLine({ options: { out: { type: 'string' } } });
const root = join(import.meta.dirname, '..');
const out = values.out ?? join(root, 'docs/pictures');

/** The list of a server, in light and dark. */
async function listPictures(browser: Browser, html: string): Promise<void> {
  const traces = join(work, 'traces');
  mkdirSync(traces);
  for (const [from, name, minutes] of LISTED) {
    copyFileSync(from, join(traces, name));
    const when = Date.now() / 1000 - minutes * 60 - 5;
    utimesSync(join(traces, name), when, when);
  }
  const stop = new AbortController();
  const app = webApp({
    roots: [{ name: 'traces', path: traces }],
    template: html,
    signal: stop.signal,
    onFault: console.error,
  });
  const { port, ended } = await serve(app, { port: 0 }, stop.signal);
  for (const scheme of LIST_SCHEMES) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 420 }, colorScheme: scheme });
    const tab = await context.newPage();
    await tab.goto(`http://127.0.0.1:${port}/`);
    await tab.waitForSelector(`.runs >> text=1 fail · ${LISTED.length - 1} pass`);
    await tab.keyboard.press('j');
    await tab.screenshot({ path: join(out, `runs-${scheme}.png`) });
    await context.close();
    console.log(`runs-${scheme}.png`);
  }
  stop.abort();
  await ended;
}

/** The page of a fleet: a VM was moved away from bad memory, another one cannot be proven to have stopped. */
async function fleetPictures(browser: Browser): Promise<void> {
  const site = await TestSite.start();
  try {
    await site.serve({ port: 0 }, async () => servedPage(await template('fleet'), 'fleet'));
    await site.story();
    await site.unproven();
    const port = /the API is at 127\.0\.0\.1:(\d+)/.exec(site.log.join('\n'))?.[1];
    for (const name of MOMENTS) {
      const colorScheme = name.endsWith('dark') ? 'dark' : 'light';
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme });
      const tab = await context.newPage();
      await tab.goto(`http://127.0.0.1:${port}/`);
      await tab.fill('.token', site.tokens.vera);
      await tab.keyboard.press('Enter');
      await tab.waitForSelector('.fleet-table');
      await tab.waitForSelector('.fleet >> text=live');
      await tab.screenshot({ path: join(out, `${name}.png`) });
      await context.close();
      console.log(`${name}.png`);
    }
  } finally {
    await site.stop();
  }
}

/** Letters are drawn the same on every machine. */
const ARGS = ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none', '--force-color-profile=srgb'];

const work = mkdtempSync(join(tmpdir(), 'syndrome-pictures-'));
const { program, version } = await testChromium();
const browser = await chromium.launch({ executablePath: program, args: ARGS });
try {
  const site = join(work, 'site');
  const command = [join(root, 'packages/cli/src/main.ts'), 'report', MEASURED, '--out', site, '--title', 'Nightly'];
  const { code } = await runChild(process.execPath, command, { cwd: root });
  if (code !== 0) throw new Error(`the report ended with ${code}`);
  const html = await template();
  for (const picture of PICTURES) {
    const { name, files = [], log, report, hash = '', width = 1440, height = 900, scheme, clicks = [] } = picture;
    const page = report ? join(site, 'index.html') : join(work, `${name}.html`);
    const carried = files.map((file): PageFile => {
      const kind = file.endsWith('.json') ? 'matrix' : 'trace';
      return { kind, name: basename(file), bytes: readFileSync(file) };
    });
    if (log !== undefined) carried.push({ kind: 'log', name: 'kern.log', bytes: Buffer.from(log) });
    if (!report) writeFileSync(page, fillTemplate(html, carried));
    const context = await browser.newContext({ offline: true, viewport: { width, height }, colorScheme: scheme });
    const tab = await context.newPage();
    await tab.goto(`file://${page}${hash}`);
    await tab.waitForSelector('.list-row, .cell-details, .report-table');
    if (log !== undefined) await tab.waitForSelector('.triage');
    for (const click of clicks) await tab.click(click);
    // The pointer lights up what it is over.
    await tab.mouse.move(0, 0);
    await tab.evaluate('document.activeElement.blur(); new Promise(requestAnimationFrame)');
    await tab.screenshot({ path: join(out, `${name}.png`) });
    await context.close();
    console.log(`${name}.png`);
  }
  await listPictures(browser, html);
  await fleetPictures(browser);
  writeFileSync(join(out, VERSION_FILE), `${version}\n`);
} finally {
  await browser.close();
  rmSync(work, { recursive: true, force: true });
}
console.log(`of Chromium ${version}, in ${out}`);

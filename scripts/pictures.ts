/**
 * `npm run docs:pictures`: the pictures of docs/tour.md and README.md, of real traces and records, taken of the pages as they
 * are in the Chromium of the tests.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { serve } from '@syndrome/base/http/serve.ts';
import { testChromium } from '@syndrome/lab/supply/testing/chromium.ts';
import { webApp } from '@syndrome/web/server/app.ts';
import { fillTemplate, template } from '@syndrome/web/template.ts';
import { commandLine } from './command-line.ts';

const { values } = commandLine({ options: { out: { type: 'string' } } });
const root = join(import.meta.dirname, '..');
const out = values.out ?? join(root, 'docs/pictures');
const PAIR = join(root, 'packages/trace/src/compare/golden');

interface Picture {
  name: string;
  /** Traces that the page carries. */
  traces?: readonly string[];
  /** A log that it carries. */
  log?: string;
  hash?: string;
  width?: number;
  height?: number;
  scheme: 'light' | 'dark';
  /** What is clicked and pressed before. */
  clicks?: readonly string[];
  keys?: readonly string[];
}

const BAD = 'pair-amd-deferred-6.19.6.ndjson';
const GOOD = 'pair-amd-deferred-7.3.4.ndjson';
const DEFERRED = '#decode?status=0x9c00180000000000&addr=0x87ee000&misc=0x8c&bank=9&vendor=amd';

/** Corrected errors of a machine with one bad rank, and what ended it. */
const LOG = [
  ...Array.from({ length: 120 }, (_, i) => [
    `[${1000 + i * 30}.102030] mce: [Hardware Error]: CPU ${i % 4}: Machine Check: 0 Bank 8: 8c00004000010092`,
    `[${1000 + i * 30}.102031] mce: [Hardware Error]: TSC 0 ADDR ${(0x87ee000 + (i % 9) * 0x1000).toString(16)} MISC 4000008c `,
    `[${1000 + i * 30}.102032] mce: [Hardware Error]: PROCESSOR 0:50654 TIME ${1796021342 + i * 30} SOCKET 0 APIC 6 microcode 2007006`,
  ]),
  '[4700.000001] mce: [Hardware Error]: CPU 2: Machine Check Exception: 7 Bank 7: bd80000000100134',
  '[4700.000002] mce: [Hardware Error]: RIP 33:<00007f3b2c3d4e5f>',
  '[4700.000003] mce: [Hardware Error]: TSC 0 ADDR 87f1000 MISC 8c ',
  '[4700.000004] mce: [Hardware Error]: PROCESSOR 0:50654 TIME 1796025042 SOCKET 0 APIC 4 microcode 2007006',
  '[4700.000100] Memory failure: 0x87f1: Sending SIGBUS to mysqld:812 due to hardware memory corruption',
  '[4700.000200] Memory failure: 0x87f1: recovery action for dirty LRU page: Recovered',
  '',
]
  .flat()
  .join('\n');

const PICTURES: readonly Picture[] = [
  { name: 'compare-light', traces: [BAD, GOOD], scheme: 'light' },
  { name: 'compare-dark', traces: [BAD, GOOD], scheme: 'dark' },
  { name: 'trace-light', traces: [GOOD], hash: '#trace?event=a85', scheme: 'light' },
  { name: 'trace-dark', traces: [BAD], scheme: 'dark' },
  { name: 'decode-light', hash: DEFERRED, clicks: ['[data-bit="44"]', '[data-bit="61"]'], scheme: 'light' },
  { name: 'log-dark', log: LOG, scheme: 'dark' },
  { name: 'log-narrow', log: LOG, scheme: 'light', width: 900, height: 1000 },
];

/** What stands in the list of a server: a trace of the tests, under the name of a run, and how long ago it was. */
const LISTED: readonly (readonly [from: string, name: string, minutes: number])[] = [
  [`${PAIR}/${GOOD}`, 'amd-deferred-20261130T101502-117Z-4211.ndjson', 3],
  [`${PAIR}/${BAD}`, 'amd-deferred-20261130T101344-902Z-4098.ndjson', 4],
  [`${PAIR}/../../golden/v2-intel-srar-process.ndjson`, 'intel-srar-process-20261130T093011-440Z-3377.ndjson', 48],
  [`${PAIR}/../../golden/v2-intel-ce-logged.ndjson`, 'intel-ce-logged-20261130T092905-008Z-3290.ndjson', 49],
  [`${PAIR}/../../golden/v1-host-soft-offline.ndjson`, 'host-soft-offline-20261128T171200-310Z-981.ndjson', 2460],
];

/** The list of a server. */
async function listPicture(browser: Browser, html: string): Promise<void> {
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
  const context = await browser.newContext({ viewport: { width: 1440, height: 420 }, colorScheme: 'light' });
  const tab = await context.newPage();
  await tab.goto(`http://127.0.0.1:${port}/`);
  await tab.waitForSelector(`.runs >> text=1 fail · ${LISTED.length - 1} pass`);
  await tab.keyboard.press('j');
  await tab.screenshot({ path: join(out, 'runs-light.png') });
  await context.close();
  stop.abort();
  await ended;
  console.log('runs-light.png');
}

const work = mkdtempSync(join(tmpdir(), 'syndrome-pictures-'));
const { program, version } = await testChromium();
const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu'] });
try {
  const html = await template();
  for (const picture of PICTURES) {
    const { name, traces = [], log, hash = '', width = 1440, height = 900, scheme, clicks = [], keys = [] } = picture;
    const page = join(work, `${name}.html`);
    const files = traces.map(file => ({ kind: 'trace' as const, name: file, bytes: readFileSync(join(PAIR, file)) }));
    const logs = log === undefined ? [] : [{ kind: 'log' as const, name: 'kern.log', bytes: Buffer.from(log) }];
    writeFileSync(page, fillTemplate(html, [...files, ...logs]));
    const context = await browser.newContext({ offline: true, viewport: { width, height }, colorScheme: scheme });
    const tab = await context.newPage();
    await tab.goto(`file://${page}${hash}`);
    await tab.waitForSelector('.list-row');
    await tab.waitForSelector(log === undefined ? '.list-row' : '.triage');
    for (const click of clicks) await tab.click(click);
    for (const key of keys) await tab.keyboard.press(key);
    // The pointer lights up what it is over.
    await tab.mouse.move(0, 0);
    await tab.evaluate('document.activeElement.blur(); new Promise(requestAnimationFrame)');
    await tab.screenshot({ path: join(out, `${name}.png`) });
    await context.close();
    console.log(`${name}.png`);
  }
  await listPicture(browser, html);
} finally {
  await browser.close();
  rmSync(work, { recursive: true, force: true });
}
console.log(`of Chromium ${version}, in ${out}`);

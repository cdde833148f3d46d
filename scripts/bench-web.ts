/**
 * `node scripts/bench-web.ts [--rounds N] [--json]`: how long a person waits for the pages, in the Chromium of the tests: until
 * something is seen, while large inputs are read, after a bit was turned and while one types into a filter. Each figure is the
 * median of all rounds and stands beside its limit; figures are of this machine at this moment.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { testChromium } from '@syndrome/lab/supply/testing/chromium.ts';
import { fillTemplate, template } from '@syndrome/web/template.ts';
import { traceText } from '@syndrome/web/view/testing/runs.ts';
import { commandLine } from './command-line.ts';

const { values } = commandLine({
  options: { rounds: { type: 'string', default: '5' }, json: { type: 'boolean', default: false } },
});
const ROUNDS = Number(values.rounds);
/** A machine under load is slower; it does not wait for ever. */
const PATIENCE_MS = 120_000;

/** When a page had something on it, in milliseconds; the entry may come after what is waited for. */
const FIRST_PAINT = `new Promise((done, failed) => {
  new PerformanceObserver(list => {
    for (const { name, startTime } of list.getEntries()) if (name === 'first-contentful-paint') done(startTime);
  }).observe({ type: 'paint', buffered: true });
  setTimeout(() => failed(new Error('nothing was painted')), ${PATIENCE_MS});
})`;

interface Row {
  name: string;
  value: number;
  unit: string;
  limit: number;
  met: boolean;
  detail: string;
}
const rows: Row[] = [];

/** The value that this share of all is not above. */
const share = (of: readonly number[], part: number): number =>
  of.toSorted((x, y) => x - y)[Math.min(of.length - 1, Math.floor(of.length * part))] ?? Number.NaN;
function row(name: string, of: readonly number[], limit: number, detail = ''): void {
  const value = share(of, 0.5);
  const spread = `${Math.round(Math.min(...of))} to ${Math.round(Math.max(...of))} in ${of.length} rounds`;
  rows.push({
    name,
    value,
    unit: 'ms',
    limit,
    met: value <= limit,
    detail: [spread, detail].filter(Boolean).join('; '),
  });
}

/** A corrected error of a kernel's log: three lines. */
const corrected = (i: number): string =>
  [
    `[${i}.102030] mce: [Hardware Error]: CPU ${i % 64}: Machine Check: 0 Bank ${7 + (i % 4)}: 8c0000400001009${i % 3}`,
    `[${i}.102031] mce: [Hardware Error]: TSC 2ba5d7cda8cb ADDR ${(0x87ee000 + (i % 5000) * 0x1000).toString(16)} MISC 4000008c `,
    `[${i}.102032] mce: [Hardware Error]: PROCESSOR 0:50654 TIME ${1796021342 + i} SOCKET 0 APIC ${i % 64} microcode 2007006`,
    '',
  ].join('\n');
/** A log of a guest that also says other things, about 105 bytes a line. */
function log(lines: number): string {
  const other = `usb 1-1: new high-speed USB device number 7 using xhci_hcd, and some words more to fill the line`;
  const blocks = Math.floor(lines / 8);
  return Array.from({ length: blocks }, (_, i) => corrected(i) + `[${i}.200000] ${other}\n`.repeat(5)).join('');
}
/** A trace of a long boot with an injection in it, 70 MB. */
function trace(): string {
  const raw = `[   12.215083] ${'a line of a console that goes on for a while '.repeat(2)}`;
  const events = Array.from({ length: 500_000 }, (_, i): [number, string, object] => [i / 50, 'guest', { raw }]);
  events[300_000] = [6000, 'lab', { name: 'lab.injected', fields: { kind: 'mce' } }];
  return traceText(events);
}

/**
 * In the page: from the moment a file is chosen, how long each frame lasts and when elements are first there. `watch` is told
 * their selectors; the last of them ends the watch.
 */
const WATCH = `
globalThis.watch = selectors => new Promise(resolve => {
  document.querySelector('input[type=file]').addEventListener('change', () => {
    const began = performance.now();
    const seen = selectors.map(() => undefined);
    const frames = [];
    let last = began;
    const frame = now => {
      frames.push(now - last);
      last = now;
      for (const [i, selector] of selectors.entries())
        if (seen[i] === undefined && document.querySelector(selector)) seen[i] = performance.now() - began;
      if (seen.at(-1) === undefined) requestAnimationFrame(frame);
      else resolve({ seen, frames: frames.slice(1) });
    };
    requestAnimationFrame(frame);
  }, { capture: true, once: true });
});
globalThis.untilFrame = act => new Promise(resolve => {
  const began = performance.now();
  act();
  requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began)));
});`;

interface Watched {
  seen: number[];
  frames: number[];
}

/** Gives a file to a page and watches it. */
async function watched(page: Page, file: string, selectors: readonly string[]): Promise<Watched> {
  // A page is loaded before its script, which it unpacks, has run.
  await page.waitForSelector('input[type=file]', { state: 'attached' });
  const watching = page.evaluate(`watch(${JSON.stringify(selectors)})`) as Promise<Watched>;
  // Awaited together: where the file cannot be given, nobody else would hear that the watch has failed, too.
  const [watched] = await Promise.all([watching, page.setInputFiles('input[type=file]', file)]);
  return watched;
}

/** Types into a filter: the time of the slowest key. */
async function typed(page: Page, selector: string, text: string): Promise<number> {
  const took: number[] = [];
  for (let i = 1; i <= text.length; i++) {
    const act = `() => { const e = document.querySelector(${JSON.stringify(selector)}); e.value = ${JSON.stringify(text.slice(0, i))}; e.dispatchEvent(new Event('input', { bubbles: true })); }`;
    took.push((await page.evaluate(`untilFrame(${act})`)) as number);
  }
  return Math.max(...took);
}

const work = mkdtempSync(join(tmpdir(), 'syndrome-bench-'));
const { program, version } = await testChromium();
const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu'] });
try {
  const html = await template();
  const file = (name: string, content: string): string => {
    const path = join(work, name);
    writeFileSync(path, content);
    return path;
  };
  const contexts: BrowserContext[] = [];
  const open = async (path: string, hash = ''): Promise<Page> => {
    const context = await browser.newContext({ offline: true, viewport: { width: 1440, height: 900 } });
    contexts.push(context);
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    await page.addInitScript(WATCH);
    await page.goto(`file://${path}${hash}`);
    return page;
  };
  const empty = file('empty.html', fillTemplate(html, []));
  const golden = join(import.meta.dirname, '../packages/trace/src/compare/golden/pair-amd-deferred-7.3.4.ndjson');
  const carried = file('trace.html', fillTemplate(html, [{ kind: 'trace', name: 't', bytes: readFileSync(golden) }]));
  const [small, large, events] = [
    file('100k.log', log(100_000)),
    file('400k.log', log(400_000)),
    file('t.ndjson', trace()),
  ];

  const figures: Record<string, number[]> = {};
  const note = (name: string, value: number): void => void (figures[name] ??= []).push(value);
  const read = (name: string, { seen, frames }: Watched): void => {
    if (seen.length > 1) note(`${name} first`, seen[0] ?? Number.NaN);
    note(`${name} all`, seen.at(-1) ?? Number.NaN);
    note(`${name} frame`, share(frames, 0.5));
    note(`${name} worst`, Math.max(...frames));
  };
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, path] of [
      ['empty', empty],
      ['carried', carried],
    ] as const) {
      const page = await open(path, name === 'carried' ? '' : '#decode');
      await page.waitForSelector(name === 'carried' ? '.list-row' : '.paste');
      note(`${name} paint`, (await page.evaluate(FIRST_PAINT)) as number);
    }
    for (const [name, path] of [
      ['small', small],
      ['large', large],
    ] as const) {
      const page = await open(empty);
      read(name, await watched(page, path, ['.list-row', '.triage']));
      note(`${name} filter`, await typed(page, '.records input[type=search]', 'bank 9'));
    }
    const page = await open(empty, '#trace');
    read('trace', await watched(page, events, ['.list-row']));
    await page.keyboard.press('r');
    note('trace filter', await typed(page, '.events input[type=search]', 'while'));
    const record = await open(empty, '#decode?status=0x9c00180000000000&addr=0x87ee000&misc=0x8c&bank=9&vendor=amd');
    await record.waitForSelector('.strip');
    const flips: number[] = [];
    for (const bit of [44, 61, 57, 44, 61, 57]) {
      const click = `() => document.querySelector('[data-bit="${bit}"]').click()`;
      flips.push((await record.evaluate(`untilFrame(${click})`)) as number);
    }
    note('flip', share(flips, 0.5));
    note('first flip', flips[0] ?? Number.NaN);
    await Promise.all(contexts.splice(0).map(context => context.close()));
  }
  const of = (name: string): number[] => figures[name] ?? [];
  const worst = (name: string): string => `longest frame ${Math.round(Math.max(...of(`${name} worst`)))} ms`;
  row('page opened → first paint', of('empty paint'), 500);
  row('page with a trace opened → first paint', of('carried paint'), 500);
  row('log of 100,000 lines → first rows', of('small first'), 1000);
  row('log of 100,000 lines → all, with its sums', of('small all'), 5000);
  row('log of 100,000 lines: median frame', of('small frame'), 50, worst('small'));
  row('log of 400,000 lines → first rows', of('large first'), 1000);
  row('log of 400,000 lines → all, with its sums', of('large all'), 10_000);
  row('log of 400,000 lines: median frame', of('large frame'), 50, worst('large'));
  row('its filter: slowest key', of('large filter'), 600);
  row('trace of 500,000 events → judged and drawn', of('trace all'), 5000);
  row('trace of 500,000 events: median frame', of('trace frame'), 50, worst('trace'));
  row('its filter over raw lines: slowest key', of('trace filter'), 600);
  row('bit turned → next frame', of('flip'), 50, `the first ${Math.round(share(of('first flip'), 0.5))} ms`);
} finally {
  await browser.close();
  rmSync(work, { recursive: true, force: true });
}

if (values.json) console.log(JSON.stringify({ schemaVersion: 1, results: rows }));
else {
  console.log(`pages in Chromium ${version}, load ${loadavg()[0]?.toFixed(1)}`);
  for (const { name, value, unit, limit, met, detail } of rows)
    console.log(
      `${name.padEnd(48)} ${value.toFixed(0).padStart(8)} ${unit.padEnd(11)} ${met ? 'met' : 'NOT MET'}: limit ${limit}; ${detail}`,
    );
}

import {
  appendFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ServerEvent } from '@syndrome/base/http/events.ts';
import { GOOD } from '../view/testing/runs.ts';
import { follow } from './follow.ts';

let dir: string;
let file: string;
let stop: AbortController;
let written = true;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'follow-'));
  file = join(dir, 'run.ndjson');
  stop = new AbortController();
  written = true;
});
afterEach(() => {
  stop.abort();
  rmSync(dir, { recursive: true, force: true });
});

const LINES = readFileSync(GOOD, 'utf8').split(/(?<=\n)/);
const linesOf = (from: number, to?: number): string => LINES.slice(from, to).join('');
const source = {
  open: () => ({ fd: openSync(file, 'r'), size: statSync(file).size, path: file }),
  isWritten: () => written,
  patienceMs: 1000,
};

/** A page that reads one event after the other. */
function reader(last?: string) {
  const events = follow(source, last, stop.signal);
  const next = async (): Promise<ServerEvent> => (await events.next()).value as ServerEvent;
  /** All lines until a text has come. */
  const until = async (text: string): Promise<{ said: string; last: string; events: string[] }> => {
    let said = '';
    const names: string[] = [];
    for (;;) {
      const { event = '', id = '', data } = await next();
      names.push(event);
      if (event === 'lines') said += JSON.parse(data) as string;
      if (said.endsWith(text)) return { said, last: id, events: names };
    }
  };
  return { next, until };
}

describe('a run that goes on', () => {
  test('is told line by line, as the lines are whole', async () => {
    writeFileSync(file, linesOf(0, 3));
    const page = reader();
    expect(await page.until(linesOf(0, 3))).toMatchObject({ said: linesOf(0, 3), events: ['lines'] });
    const half = LINES[3] ?? '';
    appendFileSync(file, half.slice(0, 20));
    setTimeout(() => appendFileSync(file, half.slice(20)), 300);
    expect((await page.until(half)).said).toBe(half);
    appendFileSync(file, linesOf(4));
    expect((await page.until(linesOf(4))).said).toBe(linesOf(4));
    written = false;
    expect(await page.next()).toEqual({ event: 'end', data: 'ended' });
  });
  test('is told in bounded pieces, also where a line is longer', async () => {
    const long = `{"seq":2,"raw":"${'x'.repeat(3 << 20)}"}\n`;
    writeFileSync(file, `${LINES[0]}${long}${linesOf(1)}`);
    const { said, events } = await reader().until(linesOf(1));
    expect(said).toBe(`${LINES[0]}${long}${linesOf(1)}`);
    expect(events.length).toBeGreaterThan(1);
  });
  test('that has written nothing yet is waited for', async () => {
    writeFileSync(file, '');
    const page = reader();
    setTimeout(() => appendFileSync(file, linesOf(0, 2)), 300);
    expect((await page.until(linesOf(0, 2))).events).toEqual(['lines']);
  });
});

describe('a page that comes back', () => {
  test('gets what it has not yet, and nothing twice', async () => {
    writeFileSync(file, linesOf(0, 5));
    const { last } = await reader().until(linesOf(0, 5));
    appendFileSync(file, linesOf(5, 8));
    expect(await reader(last).until(linesOf(5, 8))).toMatchObject({ said: linesOf(5, 8), events: ['lines'] });
  });
  test('after another run has taken the file gets all of it anew', async () => {
    writeFileSync(file, linesOf(0, 5));
    const { last } = await reader().until(linesOf(0, 5));
    const other = linesOf(0, 9).replace('"startedAt":"2', '"startedAt":"3');
    writeFileSync(file, other);
    expect(await reader(last).until(other)).toMatchObject({ said: other, events: ['reset', 'lines'] });
  });
  test.each(['', 'x', '0123456789abcdef.10', `${'f'.repeat(16)}.0`])(
    'with a number that is none of this trace gets all of it anew: %j',
    async last => {
      writeFileSync(file, linesOf(0, 5));
      expect(await reader(last).until(linesOf(0, 5))).toMatchObject({
        said: linesOf(0, 5),
        events: ['reset', 'lines'],
      });
    },
  );
  test('with a number in the middle of a line, or behind the end, gets all of it anew', async () => {
    writeFileSync(file, linesOf(0, 5));
    const { last } = await reader().until(linesOf(0, 5));
    const [mark] = last.split('.');
    for (const at of [7, 10_000_000])
      expect((await reader(`${mark}.${at}`).until(linesOf(0, 5))).events).toEqual(['reset', 'lines']);
    expect((await reader(`${mark}.0`).until(linesOf(0, 5))).events).toEqual(['lines']);
  });
});

describe('while it is followed', () => {
  test('a file that another run takes is told anew', async () => {
    writeFileSync(file, linesOf(0, 9));
    const page = reader();
    await page.until(linesOf(0, 9));
    const other = linesOf(0, 3).replace('"startedAt":"2', '"startedAt":"3');
    writeFileSync(file, other);
    expect(await page.until(other)).toMatchObject({ said: other, events: ['reset', 'lines'] });
  });
  test.each([
    ['removed', () => rmSync(file)],
    ['replaced', () => (writeFileSync(`${file}.new`, linesOf(0)), renameSync(`${file}.new`, file))],
  ])('a file that is %s ends it', async (_, act) => {
    writeFileSync(file, linesOf(0, 9));
    const page = reader();
    await page.until(linesOf(0, 9));
    act();
    expect(await page.next()).toEqual({ event: 'end', data: 'gone' });
  });
  test('a run that was killed ends with what there is of its last line', async () => {
    writeFileSync(file, linesOf(0, 5));
    appendFileSync(file, '{"seq":4,"t":');
    written = false;
    const page = reader();
    await page.until(linesOf(0, 5));
    expect(await page.next()).toEqual({ event: 'lines', data: JSON.stringify('{"seq":4,"t":') });
    expect(await page.next()).toEqual({ event: 'end', data: 'ended' });
  });
});

test('a file that has gone before it was opened is told', async () => {
  expect(await reader().next()).toEqual({ event: 'end', data: 'gone' });
});

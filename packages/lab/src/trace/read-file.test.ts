import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readTrace } from './read-file.ts';

let file: string;
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'reader-'));
  file = join(dir, 't.ndjson');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const HEADER = '{"type":"trace","version":1,"scenario":"x"}';
const event = (seq: number): string => `{"seq":${seq},"t":${seq},"layer":"lab","source":"lab","name":"lab.note"}`;

test('lines end with LF or CRLF, the last one with the file; empty ones do not count as damage', async () => {
  writeFileSync(file, `${HEADER}\r\n${event(1)}\n\n${event(2)}\r\n${event(3)}`);
  const { header, events, diagnostics } = await readTrace(file);
  expect([header.scenario, events.map(e => e.seq), diagnostics]).toEqual(['x', [1, 2, 3], []]);
});

test('a line longer than a run writes is damage, and what follows it is read', async () => {
  const fd = openSync(file, 'w');
  writeSync(fd, `${HEADER}\n${event(1)}\n`);
  // A hole of zero bytes.
  ftruncateSync(fd, 40 << 20);
  writeSync(fd, `\n${event(2)}\n`, 40 << 20);
  closeSync(fd);
  const { events, diagnostics } = await readTrace(file);
  expect(events.map(e => e.seq)).toEqual([1, 2]);
  expect(diagnostics).toEqual([{ line: 3, problem: 'longer than any line of a trace' }]);
});

test('a first line that is too long is no header', async () => {
  const fd = openSync(file, 'w');
  ftruncateSync(fd, 40 << 20);
  closeSync(fd);
  await expect(readTrace(file)).rejects.toMatchObject({ code: 'E_LAB_TRACE_FORMAT' });
});

import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Changed } from './changed.ts';

let folder: string;
let file: string;
const never = new AbortController().signal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'changed-'));
  file = join(folder, 'console');
  writeFileSync(file, '');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a change that comes before the wait ends it, in a file and in a folder', async () => {
  for (const path of [file, folder]) {
    const changed = new Changed();
    changed.arm(path);
    appendFileSync(file, 'x');
    const limit = AbortSignal.timeout(20_000);
    await changed.wait(1e9, limit);
    expect(limit.aborted).toBe(false);
  }
});

test('a writer of single bytes does not keep its reader busy', async () => {
  const changed = new Changed();
  let [looks, isWriting] = [0, true];
  const began = performance.now();
  const reading = (async () => {
    while (isWriting) {
      changed.arm(file);
      looks++;
      await changed.wait(100, never);
    }
  })();
  for (let n = 0; n < 2000; n++) {
    appendFileSync(file, 'x');
    await turn();
  }
  isWriting = false;
  await reading;
  // One at once, and then one for each pause between two: 50 ms.
  expect(looks).toBeLessThanOrEqual(3 + (performance.now() - began) / 50);
});

test('what is not there cannot be waited for', () => {
  expect(() => new Changed().arm(join(folder, 'nothing'))).toThrow('ENOENT');
});

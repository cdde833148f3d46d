import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readRecords } from './poll-reader.ts';

test('a reader lives also while there is always more to read', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'poll-'));
  const path = join(folder, 'records');
  // Of a file a read gives a whole buffer: two batches, and a bit of a third.
  const [buffers, bytes] = [2 * 256 + 1, 16_384];
  writeFileSync(path, Buffer.alloc(buffers * bytes, 'x'));
  const end = new AbortController();
  const signs: string[] = [];
  let read = 0;
  await readRecords(path, text => void (read += text.length), {
    signal: end.signal,
    pollMs: 1,
    alive: () => signs.push('alive'),
    idle: () => {
      signs.push('idle');
      end.abort();
    },
    lost: () => undefined,
  });
  expect(read).toBe(buffers * bytes);
  expect(signs).toEqual(['alive', 'alive', 'alive', 'idle']);
  rmSync(folder, { recursive: true });
});

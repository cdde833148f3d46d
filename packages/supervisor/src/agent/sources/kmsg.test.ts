import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Said } from '../../core/said.ts';
import { Positions } from '../positions.ts';
import { KmsgSource } from './kmsg.ts';

const FAILURE = 'Memory failure: 0x5000: recovery action for dirty LRU page: Recovered';

describe('KmsgSource', () => {
  test('reads, says so, pulses, and keeps where it was', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kmsg-'));
    const path = join(folder, 'kmsg');
    // A file gives several records a read, of which the first counts: here there is one.
    writeFileSync(path, `3,41,41000,-;${FAILURE}\n`);
    const said: Said[] = [];
    const end = new AbortController();
    const positions = new Positions();
    await new KmsgSource({ path, positions, pollMs: 1 }).run(
      s => said.push(s),
      end.signal,
      () => end.abort(),
    );
    expect(said).toMatchObject([
      { kind: 'source', state: 'reading' },
      { kind: 'event', source: 'kmsg', event: { name: 'host.memory-failure' }, raw: FAILURE, when: expect.any(Number) },
    ]);
    rmSync(folder, { recursive: true });
  });
});

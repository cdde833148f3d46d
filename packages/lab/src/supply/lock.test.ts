import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isStale, startTime, takeLock, thisProcess } from './lock.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'supply-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A pid that is free: that of a process that has ended and was waited for. */
async function deadPid(): Promise<number> {
  const child = spawn('true');
  await once(child, 'close');
  return child.pid as number;
}

describe('staleness', () => {
  test('this process is alive; the same pid with another start time is not', () => {
    const here = thisProcess();
    expect(here.start).toMatch(/^\d+$/);
    expect(isStale(here, 1e9, here)).toBe(false);
    expect(isStale({ ...here, start: `${here.start}1` }, 0, here)).toBe(true);
  });

  test('a process that has ended is stale at once', async () => {
    const here = thisProcess();
    expect(isStale({ ...here, pid: await deadPid() }, 0, here)).toBe(true);
  });

  test('what cannot be seen from here is judged by its last sign', () => {
    const here = thisProcess();
    for (const other of [
      { ...here, boot: 'another' },
      { ...here, namespace: 'pid:[1]' },
    ]) {
      expect(isStale(other, 1_000, here)).toBe(false);
      expect(isStale(other, 120_000, here)).toBe(true);
    }
  });

  test('the start time survives a process name with brackets and blanks', () => {
    expect(startTime(process.pid)).toBe(thisProcess().start);
    expect(startTime(2 ** 30)).toBe('');
  });
});

describe('locks', () => {
  test('are exclusive, handed over, and leave nothing behind', async () => {
    let inside = 0;
    const order: number[] = [];
    await Promise.all(
      [1, 2, 3].map(async n => {
        const release = await takeLock(folder, 'a', { deadlineMs: 20_000 });
        expect(++inside).toBe(1);
        await new Promise(resolve => setImmediate(resolve));
        order.push(n);
        inside--;
        release();
      }),
    );
    expect(new Set(order)).toEqual(new Set([1, 2, 3]));
    expect(readdirSync(folder)).toEqual([]);
  });

  test('of a killed process are taken over', async () => {
    writeFileSync(join(folder, 'a.lock'), JSON.stringify({ ...thisProcess(), pid: await deadPid() }));
    const release = await takeLock(folder, 'a', { deadlineMs: 0 });
    release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('of a living process end in E_SUPPLY_LOCKED, with its pid', async () => {
    const release = await takeLock(folder, 'a', { deadlineMs: 0 });
    const waits: number[] = [];
    await expect(takeLock(folder, 'a', { deadlineMs: 0, onWait: o => waits.push(o.pid) })).rejects.toMatchObject({
      code: 'E_SUPPLY_LOCKED',
      message: expect.stringContaining(String(process.pid)),
    });
    expect(waits).toEqual([process.pid]);
    expect(existsSync(join(folder, 'a.lock'))).toBe(true);
    release();
  });

  test('that nobody can have written are taken over only when old', async () => {
    const path = join(folder, 'a.lock');
    const odd = [null, {}, { pid: 1, start: '2' }, { pid: 1.5, start: '', boot: '', namespace: '' }, { pid: '../1' }];
    for (const text of ['nonsense', ...odd.map(o => JSON.stringify(o))]) {
      writeFileSync(path, text);
      await expect(takeLock(folder, 'a', { deadlineMs: 0 })).rejects.toMatchObject({ code: 'E_SUPPLY_LOCKED' });
      utimesSync(path, 1, 1);
      (await takeLock(folder, 'a', { deadlineMs: 0 }))();
    }
  });

  test('waiting ends when it is interrupted', async () => {
    const release = await takeLock(folder, 'a', { deadlineMs: 0 });
    const controller = new AbortController();
    const waiting = takeLock(folder, 'a', {
      deadlineMs: 60_000,
      signal: controller.signal,
      onWait: () => controller.abort(),
    });
    await expect(waiting).rejects.toMatchObject({ code: 'E_SUPPLY_ABORTED' });
    release();
    expect(readdirSync(folder)).toEqual([]);
  });
});

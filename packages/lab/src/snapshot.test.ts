import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Snapshot } from './snapshot.ts';

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'snapshot-'))));
afterEach(() => rmSync(dir, { recursive: true }));

const snapshot = (identity: string): Snapshot => new Snapshot(join(dir, 'cache'), identity);

describe('of several runs that need the same state one makes it', () => {
  const { signal } = new AbortController();
  const silent = (): void => {};

  test('and the others, here in the same process, get their turn when it is done', async () => {
    const [first, second] = [snapshot('k'), snapshot('k')];
    expect(await first.claim(signal, silent)).toBe(true);
    const order: string[] = [];
    const waiting = second.claim(signal, text => order.push(text)).then(() => order.push('claimed'));
    await expect.poll(() => order).toEqual([expect.stringContaining(`waits for process ${process.pid}`)]);
    order.push('released');
    first.release();
    await waiting;
    expect(order.slice(1)).toEqual(['released', 'claimed']);
    second.release();
  });

  test('another state is not waited for', async () => {
    const [first, other] = [snapshot('k'), snapshot('other')];
    await first.claim(signal, silent);
    expect(await other.claim(signal, silent, 0)).toBe(true);
  });

  test('who has waited long enough boots without keeping the state', async () => {
    await snapshot('k').claim(signal, silent);
    const said: string[] = [];
    expect(await snapshot('k').claim(signal, text => said.push(text), 0)).toBe(false);
    expect(said.at(-1)).toMatch(/will not be kept: process \d+ has been working on/);
  });

  test('the wait ends with the run', async () => {
    await snapshot('k').claim(signal, silent);
    const ended = snapshot('k').claim(AbortSignal.abort(), silent);
    await expect(ended).rejects.toMatchObject({ code: 'E_LAB_INTERRUPTED' });
    const late = snapshot('k').claim(AbortSignal.timeout(1), silent);
    await expect(late).rejects.toMatchObject({ code: 'E_LAB_TIMEOUT' });
  });

  test('one that was killed holds nobody up', async () => {
    const module = JSON.stringify(join(import.meta.dirname, 'snapshot.ts'));
    const script = `
      import { Snapshot } from ${module};
      const point = new Snapshot(${JSON.stringify(join(dir, 'cache'))}, 'k');
      await point.claim(new AbortController().signal, () => {});
      console.log(point.file);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script]);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    expect(line.toString().trim()).toBe(snapshot('k').file);
    expect(await snapshot('k').claim(signal, silent, 0)).toBe(false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await snapshot('k').claim(signal, silent, 1000)).toBe(true);
  });
});

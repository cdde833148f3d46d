import { describe, expect, test } from 'vitest';
import { runOnce } from './child.ts';

const { signal } = new AbortController();

describe('runOnce', () => {
  test('gives code and output, in the C locale and without a shell', async () => {
    expect(await runOnce(['printenv', 'LC_ALL'], 10_000, signal)).toMatchObject({ code: 0, output: 'C', cut: false });
    expect(await runOnce(['echo', '$HOME; ls'], 10_000, signal)).toMatchObject({ code: 0, output: '$HOME; ls' });
    expect((await runOnce(['false'], 10_000, signal)).code).toBe(1);
  });

  test('a program that is not there is no exception', async () => {
    const ran = await runOnce(['/nowhere/virsh'], 10_000, signal);
    expect(ran).toMatchObject({ cut: false, output: expect.stringContaining('ENOENT') });
    expect(ran.code).toBeUndefined();
    expect(ran.unstarted).toBe(true);
    // Of these the call itself throws: no folder, and arguments that are too long.
    expect(await runOnce([`${process.execPath}/x`], 10_000, signal)).toMatchObject({ unstarted: true, cut: false });
    expect(await runOnce(['true', 'x'.repeat(2 ** 20)], 10_000, signal)).toMatchObject({ unstarted: true, cut: false });
    expect((await runOnce(['false'], 10_000, signal)).unstarted).toBeUndefined();
  });

  test('what does not end is killed, also where its children keep the pipes', async () => {
    expect(await runOnce(['sh', '-c', 'sleep 60; true'], 50, signal)).toMatchObject({ cut: true });
    const abort = new AbortController();
    const ran = runOnce(['sleep', '60'], 60_000, abort.signal);
    abort.abort();
    const { cut, code } = await ran;
    expect([cut, code]).toEqual([true, undefined]);
  });

  test('output has a bound', async () => {
    const { output } = await runOnce(['head', '-c', '1000000', '/dev/zero'], 10_000, signal);
    expect(output.length).toBeLessThanOrEqual(64 * 1024);
  });

  test('a character lies in two chunks, and comes whole; the bound is one of bytes, and cuts none', async () => {
    // After one byte each chunk of an even length ends within a character.
    const print = [process.execPath, '-e', `process.stdout.write('x' + 'ä'.repeat(300_000))`];
    const whole = await runOnce(print, 60_000, signal, { maxOutput: 2 ** 20 });
    expect(whole.stdout === `x${'ä'.repeat(300_000)}`).toBe(true);
    expect([whole.output === whole.stdout, whole.short]).toEqual([true, undefined]);
    const { stdout, output, short } = await runOnce(print, 60_000, signal, { maxOutput: 1000 });
    expect({ stdout, output, short }).toEqual({ stdout: `x${'ä'.repeat(499)}`, output: stdout, short: true });
  });
});

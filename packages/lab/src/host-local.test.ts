import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LocalHost, preflight, requirePreflight } from './host-local.ts';
import { giveBackLeft, leftPoison, PoisonRecord } from './poison-record.ts';
import { machineSchema } from './machines/registry.ts';

const amd = machineSchema.parse({ kind: 'amd-host' });
const flat = machineSchema.parse({ kind: 'linux-guest' });

test('without consent this machine is never the host layer, whatever it can do', () => {
  expect(() => requirePreflight(amd, false)).toThrow(
    expect.objectContaining({
      code: 'E_LAB_HOST_LOCAL',
      hint: expect.stringContaining('--poison-this-host') as string,
    }),
  );
});

test('a scenario without a host layer is refused even with consent', () => {
  const first = preflight(flat, true).find(p => p.what.includes('host layer'));
  expect(first).toMatchObject({ ok: false });
  expect(() => requirePreflight(flat, true)).toThrow('the scenario has a host layer of x86-64');
});

test('everything that is asked for says how to get it', () => {
  for (const item of preflight(amd, false)) expect(item.remedy).toMatch(/\w.*[.]$/);
});

/** No machine here has hwpoison: plain files stand where the kernel would listen. */
describe('poison on this machine', () => {
  let dir: string;
  let files: { corrupt: string; unpoison: string; softOffline: string };
  let folder: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'local-'));
    folder = join(dir, 'host-poison');
    files = { corrupt: join(dir, 'corrupt'), unpoison: join(dir, 'unpoison'), softOffline: join(dir, 'soft') };
    for (const file of Object.values(files)) writeFileSync(file, '');
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const written = (): string[] => (existsSync(folder) ? readdirSync(folder) : []);

  test('reaches only pages that the VMM has translated', () => {
    const host = new LocalHost(files, folder);
    host.guestPage(0x9fe4123n, 0xcbe4123n);
    expect(host.guestAddress(0xcbe4ff8n)).toBe(0x9fe4000n);
    for (const how of ['corrupt-pfn', 'soft-offline'] as const) {
      expect(() => host.poison(0xcbe5000n, how)).toThrow(
        expect.objectContaining({ code: 'E_LAB_HOST_LOCAL', message: '0xcbe5000 is not known as a page of the guest' }),
      );
    }
    expect([readFileSync(files.corrupt, 'utf8'), readFileSync(files.softOffline, 'utf8')]).toEqual(['', '']);
    expect(written()).toEqual([]);
  });

  test.each([
    ['corrupt-pfn', 'corrupt', '0xcbe4\n'],
    ['soft-offline', 'softOffline', '0xcbe4000\n'],
  ] as const)('by %s is given back in the end', async (how, file, said) => {
    const host = new LocalHost(files, folder);
    host.guestPage(0x9fe4000n, 0xcbe4000n);
    host.poison(0xcbe4000n, how);
    expect(readFileSync(files[file], 'utf8')).toBe(said);
    expect(written()).toHaveLength(1);
    // The run lives: nobody else gives its page back.
    expect(leftPoison(folder)).toEqual([]);
    expect(await host.end()).toEqual([]);
    expect(readFileSync(files.unpoison, 'utf8')).toBe('0xcbe4\n');
    expect(written()).toEqual([]);
  });

  test('a frame that the kernel does not take back stays written down', async () => {
    const host = new LocalHost(files, folder);
    host.guestPage(0x1000n, 0xcbe4000n);
    host.poison(0xcbe4000n, 'corrupt-pfn');
    rmSync(files.unpoison);
    expect(await host.end()).toEqual([0xcbe4n]);
    expect(written()).toHaveLength(1);
    expect(existsSync(files.unpoison)).toBe(false);
  });

  test('what a killed run has poisoned is known, and given back by the next one', async () => {
    // The kernel does not come back from the poisoning: the run is killed in it.
    rmSync(files.corrupt);
    execFileSync('mkfifo', [files.corrupt]);
    const script = `
      import { LocalHost } from ${JSON.stringify(join(import.meta.dirname, 'host-local.ts'))};
      const host = new LocalHost(${JSON.stringify(files)}, ${JSON.stringify(folder)});
      host.guestPage(0x1000n, 0xcbe4000n);
      host.poison(0xcbe4000n, 'corrupt-pfn');`;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script]);
    await expect.poll(() => written().filter(name => name.endsWith('.json')), { timeout: 10_000 }).toHaveLength(1);
    expect(leftPoison(folder)).toEqual([]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(leftPoison(folder)).toEqual([0xcbe4n]);

    const said: string[] = [];
    const next = new LocalHost(files, folder);
    rmSync(files.unpoison);
    next.giveBackLeft(text => said.push(text));
    expect(leftPoison(folder)).toEqual([0xcbe4n]);
    writeFileSync(files.unpoison, '');
    next.giveBackLeft(text => said.push(text));
    expect(readFileSync(files.unpoison, 'utf8')).toBe('0xcbe4\n');
    expect(said).toEqual([
      'still poisoned by a run that was killed: page frames 0xcbe4',
      'given back, left poisoned by a run that was killed: page frames 0xcbe4',
    ]);
    expect(leftPoison(folder)).toEqual([]);
  });

  test('what was written down before the last boot, elsewhere or by nobody is left alone', () => {
    new PoisonRecord(folder).write([1n]);
    const file = join(folder, written()[0] ?? '');
    const { owner, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as { owner: Record<string, unknown> };
    const others = { dead: { start: '1' }, boot: { start: '1', boot: 'x' }, namespace: { start: '1', namespace: 'x' } };
    for (const [name, changed] of Object.entries(others)) {
      writeFileSync(join(folder, `${name}.json`), JSON.stringify({ owner: { ...owner, ...changed }, ...rest }));
    }
    writeFileSync(join(folder, 'torn.json'), '{"owner":');
    for (const [i, odd] of [null, 5, {}, { frames: [] }, { owner: null, ...rest }, { owner, frames: {} }].entries()) {
      writeFileSync(join(folder, `odd${i}.json`), JSON.stringify(odd));
    }
    mkdirSync(join(folder, 'folder.json'));
    expect(leftPoison(folder)).toEqual([1n]);
    const asked: bigint[] = [];
    expect(giveBackLeft(pfn => asked.push(pfn), folder)).toEqual({ given: [1n], refused: [] });
    expect(asked).toEqual([1n]);
    expect(existsSync(join(folder, 'dead.json'))).toBe(false);
    expect(existsSync(file)).toBe(true);
    expect(leftPoison(join(dir, 'no'))).toEqual([]);
  });
});

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Fetcher, type SupplyProgress } from './fetcher.ts';
import { openLayout } from './layout.ts';
import { Supply } from './supply.ts';
import { noMirror, skipWithout } from './testing/required.ts';
import { kernelFormat } from './user-file.ts';

/**
 * Real packages from the machine's mirror into a cache of their own. Small parts only; where QEMU, a kernel or the
 * tool chain are in the cache of this machine already, they are looked at there.
 */
let folder: string;
let cacheDir: string;
let missing: string | undefined;
beforeAll(async () => {
  missing = await noMirror();
  folder = mkdtempSync(join(tmpdir(), 'supply-machine-'));
  cacheDir = join(folder, 'cache');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const needsMirror = (context: { skip(reason: string): void }): void => skipWithout(context, 'mirror', missing);

const SUPPLY = new URL('./supply.ts', import.meta.url).href;

/** Runs a script in a process of its own, with `supply` opened on a cache. */
function inProcess(
  cache: string,
  expression: string,
  extra: { uid?: number; home?: string } = {},
): { child: ReturnType<typeof spawn>; result: Promise<unknown> } {
  const code = `import { Supply } from ${JSON.stringify(SUPPLY)};
const supply = await Supply.open({ cacheDir: ${JSON.stringify(cache)} });
process.stdout.write(JSON.stringify(await (${expression})));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(extra.uid === undefined ? {} : { uid: extra.uid, gid: extra.uid }),
    env: { ...process.env, ...(extra.home ? { HOME: extra.home } : {}) },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (d: Buffer) => {
    out += d.toString();
  });
  child.stderr.on('data', (d: Buffer) => {
    err += d.toString();
  });
  const result = once(child, 'close').then(([status]) => {
    if (status !== 0) throw new Error(`process ended with ${status}: ${err}`);
    return JSON.parse(out) as unknown;
  });
  return { child, result };
}

const leftovers = (cache: string): string[] => [
  ...readdirSync(join(cache, 'tmp')),
  ...readdirSync(join(cache, 'locks')),
];

describe('a part from the mirror', () => {
  beforeEach(needsMirror);

  test('is fetched with signatures checked, verifies, and runs', async () => {
    const progress: SupplyProgress[] = [];
    const supply = await Supply.open({ cacheDir, progress: p => progress.push(p) });
    const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
    const busybox = await supply.busybox(arch);
    expect(execFileSync(busybox.program, ['echo', 'works']).toString()).toBe('works\n');
    const phases = new Set(progress.map(p => p.phase));
    for (const phase of ['index', 'download', 'verify', 'unpack', 'done'] as const) expect(phases).toContain(phase);
    const list = await supply.list({ verify: true });
    expect(list).toMatchObject([
      { kind: 'busybox', verifies: true, current: true, packages: [{ name: 'busybox-static' }] },
    ]);
    expect(list[0]?.packages[0]?.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(leftovers(cacheDir)).toEqual([]);
  });

  test('two processes at once both get Xen, once', async () => {
    const runs = [1, 2].map(() => inProcess(cacheDir, 'supply.xen()').result);
    const [a, b] = (await Promise.all(runs)) as Array<{ image: string; version: string }>;
    expect(a).toEqual(b);
    expect(a?.version).toMatch(/^4\.20/);
    expect(kernelFormat(a?.image ?? '')).toBe('elf');
    expect(readdirSync(join(cacheDir, 'parts')).filter(name => name.startsWith('xen'))).toHaveLength(1);
    expect(leftovers(cacheDir)).toEqual([]);
  });

  test('is used offline, with no package list and no apt', async () => {
    const path = process.env['PATH'];
    const apt = join(cacheDir, 'apt');
    try {
      process.env['PATH'] = '/nonexistent';
      rmSync(apt, { recursive: true });
      const supply = await Supply.open({ cacheDir, offline: true });
      expect(existsSync((await supply.xen()).image)).toBe(true);
      await expect(supply.kernel({ arch: 'amd64', version: '7.2.12' })).rejects.toMatchObject({
        code: 'E_SUPPLY_OFFLINE',
      });
    } finally {
      process.env['PATH'] = path;
    }
  });

  test('that was damaged is said offline, and fetched again with the network', async () => {
    const offline = await Supply.open({ cacheDir, offline: true });
    const { image } = await offline.xen();
    appendFileSync(image, 'x');
    await expect(offline.xen()).rejects.toMatchObject({
      code: 'E_SUPPLY_DAMAGED',
      message: expect.stringContaining('boot/xen-4.20-amd64'),
    });
    const notices: string[] = [];
    const online = await Supply.open({ cacheDir, progress: p => p.phase === 'notice' && notices.push(p.text ?? '') });
    expect((await online.xen()).image).toBe(image);
    expect(notices.join()).toContain('is damaged');
    expect((await online.list({ verify: true })).filter(p => !p.verifies)).toEqual([]);
    expect((await offline.xen()).image).toBe(image);
  });

  test('whose content changed behind an unchanged time is found by the full look', async () => {
    const supply = await Supply.open({ cacheDir });
    const { program } = await supply.busybox('amd64');
    const { atime, mtime } = statSync(program);
    const data = readFileSync(program);
    data[data.length - 1] = (data.at(-1) ?? 0) ^ 1;
    writeFileSync(program, data);
    utimesSync(program, atime, mtime);
    expect((await supply.list()).every(p => p.verifies)).toBe(true);
    const found = (await supply.list({ verify: true })).filter(p => !p.verifies);
    expect(found.map(p => p.kind)).toEqual(['busybox']);
    const { freedBytes, removed } = await supply.clean('damaged');
    expect(removed).toEqual([found[0]?.path]);
    expect(freedBytes).toBeGreaterThan(1_000_000);
    expect(existsSync((await supply.busybox('amd64')).program)).toBe(true);
  });
});

describe('interruption', () => {
  beforeEach(needsMirror);

  test('by a signal stops apt and leaves nothing behind', async () => {
    const cache = join(folder, 'aborted');
    const controller = new AbortController();
    const supply = await Supply.open({
      cacheDir: cache,
      signal: controller.signal,
      progress: p => p.phase === 'download' && controller.abort(),
    });
    await expect(supply.busybox('amd64')).rejects.toMatchObject({ code: 'E_SUPPLY_ABORTED' });
    expect(leftovers(cache)).toEqual([]);
    expect(readdirSync(join(cache, 'parts'))).toEqual([]);
  });

  test('by SIGKILL does not block the next run, which sweeps up', async () => {
    const cache = join(folder, 'killed');
    const first = inProcess(cache, 'supply.xen()');
    const ended = first.result.catch(() => 'killed');
    // Killed when it holds a lock: its file is the sign.
    for (;;) {
      const locks = existsSync(join(cache, 'locks')) ? readdirSync(join(cache, 'locks')) : [];
      if (locks.some(name => /^xen-.*\.lock$/.test(name)) && readdirSync(join(cache, 'tmp')).length > 0) break;
      if (first.child.exitCode !== null) throw new Error('the first run ended before it could be killed');
      await new Promise(resolve => setTimeout(resolve, 5));
    }
    first.child.kill('SIGKILL');
    expect(await ended).toBe('killed');
    expect(leftovers(cache).length).toBeGreaterThan(0);
    const supply = await Supply.open({ cacheDir: cache, lockDeadlineMs: 60_000 });
    expect(kernelFormat((await supply.xen()).image)).toBe('elf');
    expect(leftovers(cache)).toEqual([]);
  });
});

describe('a mirror', () => {
  const fails = async (mirror: string): Promise<unknown> => {
    const supply = await Supply.open({ cacheDir: join(folder, 'mirrors'), mirror, offline: false });
    return await supply.busybox('amd64').catch((error: unknown) => error);
  };

  test('that does not answer is named', async () => {
    const mirror = 'http://127.0.0.1:9/debian';
    expect(await fails(mirror)).toMatchObject({
      code: 'E_SUPPLY_NETWORK',
      message: expect.stringContaining(mirror),
      hint: expect.stringContaining('SYNDROME_MIRROR'),
    });
    expect(await noMirror(mirror)).toContain(mirror);
  });

  test('without the suite, with a forged signature, with forged contents', async context => {
    needsMirror(context);
    const fake = join(folder, 'mirror');
    const dist = join(fake, 'dists', 'trixie');
    mkdirSync(dist, { recursive: true });
    expect(await fails(`file:${fake}`)).toMatchObject({ code: 'E_SUPPLY_SUITE' });

    // The true, signed list of the archive, as fetched by the tests above.
    const [state] = readdirSync(join(folder, 'killed', 'apt'));
    const lists = join(folder, 'killed', 'apt', state ?? '', 'lists');
    const inRelease = readdirSync(lists).find(name => name.endsWith('_dists_trixie_InRelease'));
    const text = readFileSync(join(lists, inRelease ?? ''), 'utf8');
    writeFileSync(join(dist, 'InRelease'), text.replace('Origin: Debian', 'Origin: Fabian'));
    expect(await fails(`file:${fake}`)).toMatchObject({ code: 'E_SUPPLY_SIGNATURE' });

    writeFileSync(join(dist, 'InRelease'), text);
    mkdirSync(join(dist, 'main', 'binary-amd64'), { recursive: true });
    writeFileSync(join(dist, 'main', 'binary-amd64', 'Packages.xz'), 'forged');
    expect(await fails(`file:${fake}`)).toMatchObject({ code: 'E_SUPPLY_DAMAGED' });
    expect(existsSync(join(folder, 'mirrors', 'answers', 'busybox-amd64.json'))).toBe(false);
  });

  test('that cannot be reached any more leaves the last answer in use', async context => {
    needsMirror(context);
    const supply = await Supply.open({ cacheDir, mirror: 'http://127.0.0.1:9/debian', refresh: true });
    expect(kernelFormat((await supply.xen()).image)).toBe('elf');
  });
});

const root = process.getuid?.() === 0;

test('an ordinary user needs no privilege', async context => {
  if (!root) context.skip('only root can become another user');
  needsMirror(context);
  const home = join(folder, 'home');
  mkdirSync(home);
  chownSync(home, 65534, 65534);
  chmodSync(folder, 0o755);
  // The sources may lie where an ordinary user cannot read: a copy serves.
  const packages = join(folder, 'packages');
  const from = new URL('../../../', import.meta.url);
  for (const part of ['lab/src/supply', 'base/src/disk', 'decode/src/common']) {
    cpSync(new URL(part, from), join(packages, part), { recursive: true });
  }
  mkdirSync(join(folder, 'node_modules/@syndrome'), { recursive: true });
  for (const name of ['lab', 'base', 'decode']) {
    cpSync(new URL(`${name}/package.json`, from), join(packages, name, 'package.json'));
    symlinkSync(join('../../packages', name), join(folder, 'node_modules/@syndrome', name));
  }
  const code = `import { Supply } from ${JSON.stringify(join(packages, 'lab/src/supply/supply.ts'))};
const supply = await Supply.open();
const { program } = await supply.busybox('amd64');
process.stdout.write(JSON.stringify([process.getuid(), program]));`;
  const env: NodeJS.ProcessEnv = { ...process.env, HOME: home };
  delete env['SYNDROME_CACHE'];
  delete env['XDG_CACHE_HOME'];
  const node = join(folder, 'node');
  cpSync(process.execPath, node, { dereference: true });
  const run = spawnSync(node, ['--input-type=module', '-e', code], { env, cwd: home, uid: 65534, gid: 65534 });
  expect(run.stderr.toString()).toBe('');
  const [uid, program] = JSON.parse(run.stdout.toString()) as [number, string];
  expect(uid).toBe(65534);
  expect(program.startsWith(join(home, '.cache', 'syndrome', 'parts'))).toBe(true);
  expect(statSync(program).uid).toBe(65534);
});

describe('the tool chain', () => {
  test('builds a static program that runs here, the same from every folder, and reports mistakes', async () => {
    const supply = await Supply.open();
    const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
    const toolchain = await supply.toolchain(arch);
    const source = `#include <stdio.h>
#include <linux/kvm.h>
int main(void) { printf("%s %d %s\\n", WHO, KVM_EXIT_MMIO, __FILE__); return 0; }
`;
    const outputs: Buffer[] = [];
    for (const name of ['one', 'two']) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'hello.c'), source);
      const output = join(folder, name, 'hello');
      await toolchain.compileStatic({ source: join(folder, name, 'hello.c'), output, defines: { WHO: '"hello"' } });
      expect(execFileSync(output).toString()).toBe('hello 6 hello.c\n');
      outputs.push(readFileSync(output));
    }
    expect(outputs[0]?.equals(outputs[1] as Buffer)).toBe(true);
    const failing = toolchain.compileStatic({ source: join(folder, 'one', 'hello.c'), output: join(folder, 'no') });
    await expect(failing).rejects.toMatchObject({
      code: 'E_SUPPLY_COMPILE',
      cause: { message: expect.stringContaining("'WHO' undeclared") },
    });
    expect(existsSync(join(folder, 'no'))).toBe(false);
  });
});

describe('QEMU and a kernel', () => {
  test('start: the version is 11.1 or newer and the kernel is one', async () => {
    const supply = await Supply.open();
    const qemu = await supply.qemu('x86_64');
    const [program, ...args] = qemu.argv;
    const said = execFileSync(program ?? '', [...args, '--version']).toString();
    expect(said).toContain(`QEMU emulator version ${qemu.version}`);
    const [major = 0, minor = 0] = qemu.version.split('.').map(Number);
    expect(major * 100 + minor).toBeGreaterThanOrEqual(1101);
    const kernel = await supply.kernel({ arch: 'amd64', version: 'newest' });
    expect(kernelFormat(kernel.image)).toBe('bzImage');
    expect(kernel.release.startsWith(kernel.version)).toBe(true);
  });

  test('of packages opens no module of another build that is installed on this machine', async context => {
    needsMirror(context);
    // trixie's modules, of an older QEMU, where ours was built to look: a path as long as /usr/lib/TRIPLET/qemu in its place.
    const fetcher = new Fetcher(openLayout(cacheDir), {});
    const arch = fetcher.hostArch();
    const foreign = await fetcher.obtain({
      key: 'foreign-modules',
      kind: 'qemu',
      label: 'foreign modules',
      exact: false,
      resolve: async () => {
        const suites = await fetcher.index('foreign modules', arch, ['trixie']);
        const packages = await fetcher.apt(arch).lookup(suites, ['qemu-system-common']);
        return { name: 'foreign', version: '1', groups: [{ arch, suites, packages }], finish: async () => ({}) };
      },
    });
    const { argv } = await (await Supply.open()).qemu('x86_64');
    const program = argv.find(word => word.endsWith('/qemu-system-x86_64')) ?? '';
    const loader = argv[0] ?? '';
    const builtIn = `/usr/lib/${basename(dirname(loader))}/qemu`;
    const scratch = mkdtempSync('/tmp/q');
    try {
      const there = `${scratch}/`.padEnd(builtIn.length - 1, '/') + 'm';
      symlinkSync(join(foreign.folder, 'root', builtIn), there);
      const bytes = readFileSync(program);
      const at = bytes.indexOf(`\0${builtIn}\0`) + 1;
      expect(at).toBeGreaterThan(0);
      bytes.write(there, at);
      const patched = join(scratch, 'qemu');
      writeFileSync(patched, bytes, { mode: 0o755 });
      const types = (run: string): { status: number | null; stdout: string; stderr: string } =>
        spawnSync(
          run,
          [
            ...argv.slice(1).map(word => (word === program ? patched : word)),
            ...'-M none -nodefaults -display none -qmp stdio'.split(' '),
          ],
          {
            input: '{"execute":"qmp_capabilities"}{"execute":"qom-list-types"}{"execute":"quit"}',
            encoding: 'utf8',
            timeout: 60_000,
          },
        );
      // Started by a loader that lies elsewhere, it opens them (and aborts, or at least says so): the danger is real.
      const elsewhere = join(scratch, 'ld.so');
      cpSync(loader, elsewhere);
      expect(types(elsewhere).stderr).toContain(`failed to open module: ${there}/`);
      const { status, stdout, stderr } = types(loader);
      expect([status, stderr]).toEqual([0, '']);
      expect(stdout).toContain('"name": "pvpanic"');
    } finally {
      rmSync(scratch, { recursive: true });
    }
  });

  test("of the user's own is taken for the architecture it emulates, and for no other", async () => {
    const supply = await Supply.open();
    const packaged = await supply.qemu('x86_64');
    const own = join(folder, 'my-qemu');
    const quoted = packaged.argv.map(word => `'${word}'`).join(' ');
    writeFileSync(own, `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 });
    expect(await supply.qemu('x86_64', own)).toMatchObject({ version: packaged.version, source: 'user', argv: [own] });
    await expect(supply.qemu('aarch64', own)).rejects.toThrow(/is a QEMU for another architecture/);
  });
});

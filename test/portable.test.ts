/** Decoding, predicting and encoding work on macOS and Windows: nothing on their way is for Linux. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { targetOf } from '../scripts/imports.ts';
import { roomOf, rooms } from '../scripts/rooms.ts';

const ROOT = join(import.meta.dirname, '..');
const CLI = 'packages/cli/src';
/** What is imported late here is loaded for another command, or on Linux only. */
const OTHERS = new Set(
  // The last starts the programs that unpack what Node cannot.
  [
    'program',
    'many-commands',
    'einj-command',
    'fleet-commands',
    'store-commands',
    'audit-commands',
    'api-commands',
    'simulate-command',
    'decode-commands',
    'encode-output',
    'inputs/unpack',
  ].map(name => `${CLI}/${name}.ts`),
);
/** What `encode --out` loads elsewhere. */
const ELSEWHERE = 'packages/base/src/disk/plain-output.ts';
const IMPORT = /^(?:import|export) (?!type\b)([^'";]*? from )?'([^']+)'|\bimport\('([^']+)'\)/gm;

/** Every file that these load, and every module of others. */
function loadedBy(entries: readonly string[]): { files: Set<string>; modules: Set<string> } {
  const files = new Set(entries);
  const modules = new Set<string>();
  for (const file of files) {
    const source = readFileSync(join(ROOT, file), 'utf8');
    for (const [, clause = '', specifier, late] of source.matchAll(IMPORT)) {
      if (late !== undefined && OTHERS.has(file)) continue;
      // Types are no imports once they are stripped.
      if (/^\{(?:\s*type [^,}]+,?)*\s*\} from $/.test(clause)) continue;
      const target = targetOf(file, specifier ?? late ?? '');
      if (target === undefined) modules.add(specifier ?? late ?? '');
      else files.add(target);
    }
  }
  return { files, modules };
}

/** Built-ins that are the same on every system as they are used here. None starts a process or speaks to another. */
const BUILTINS = [
  'crypto',
  'events',
  'fs',
  'module',
  'os',
  'path',
  'sqlite',
  'stream',
  'timers/promises',
  'tty',
  'util',
  'v8',
  'zlib',
];
/** Rooms that know nothing of a machine, a process or a socket. */
const ROOMS = [
  'common',
  'registers',
  'mca',
  'arm',
  'cper',
  'events',
  'text',
  'outlook',
  'inject',
  'decode',
  'acpi',
  'triage',
  'bundle',
  'trace',
];
/** Files of other rooms: what they are about is in their names, and each imports nothing but files of these lists. */
const FILES = [
  // Tables of codes, for --explain.
  'packages/base/src/http/error-codes.ts',
  'packages/web/src/server/error-codes.ts',
  'packages/lab/src/error-codes.ts',
  'packages/lab/src/guest/error-codes.ts',
  'packages/lab/src/supply/error-codes.ts',
  'packages/lab/src/sweep/error-codes.ts',
  'packages/qemu/src/gdb/error-codes.ts',
  'packages/qemu/src/qmp/error-codes.ts',
  'packages/vmm/src/error-codes.ts',
  'packages/base/src/store/error-codes.ts',
  'packages/qemu/src/libvirt/error-codes.ts',
  ...['agent', 'controller', 'notify', 'policy', 'rest', 'site', 'wire'].map(
    room => `packages/supervisor/src/${room}/error-codes.ts`,
  ),
  // QEMU's refusals, explained where they are met; of the client that connects these have the type only.
  'packages/qemu/src/qmp/ghes.ts',
  'packages/qemu/src/qmp/hmp.ts',
  'packages/qemu/src/qmp/errors.ts',
  'packages/qemu/src/qmp/property.ts',
  // The names of what carries runs out, for the options; types else.
  'packages/lab/src/engine/engine.ts',
  // How JSON and colours are drawn.
  'packages/lab/src/report/json.ts',
  'packages/lab/src/report/style.ts',
  // V8's own flags for an agent; main.ts loads it for that command alone.
  'packages/supervisor/src/agent/stay-small.ts',
  // Files: modes, and writing one whole.
  'packages/base/src/disk/umask.ts',
  'packages/base/src/disk/write-whole.ts',
  ELSEWHERE,
];
/** Names of files of Linux that are opened: each is tried, and what there is elsewhere is taken instead. */
const LINUX_FILES: Readonly<Record<string, string>> = { [`${CLI}/record-inputs.ts`]: '/proc/self/fd/0' };

describe.each(['decode', 'predict', 'encode'])('all that %s loads', command => {
  const entries = [...['main', 'program', command].map(name => `${CLI}/${name}.ts`), ELSEWHERE];
  const { files, modules } = loadedBy(entries);

  test('is of pure rooms, of the command line, or named here', () => {
    expect(files.size).toBeGreaterThan(100);
    const others = [...files].filter(f => !ROOMS.includes(roomOf(f) ?? '') && !f.startsWith(`${CLI}/`));
    expect(others.filter(f => !FILES.includes(f))).toEqual([]);
  });

  test('uses built-ins that every system has, and one package', () => {
    const allowed = ['commander', ...BUILTINS.map(name => `node:${name}`)];
    expect([...modules].filter(m => !allowed.includes(m))).toEqual([]);
  });

  test('opens no file that only Linux has', () => {
    const opened = [...files].flatMap(f => {
      // In a pure room nothing can be opened.
      if (rooms[roomOf(f) ?? '']?.pure === true || f.endsWith('/error-codes.ts')) return [];
      const code = readFileSync(join(ROOT, f), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^ *\/\/.*$/gm, '');
      const paths = [...code.matchAll(/['"`](\/(?:proc|sys|dev|etc|run|tmp|usr|var)\b[^'"`\s]*)['"`]/g)];
      return paths.map(([, path = '']) => [f, path]);
    });
    expect(Object.fromEntries(opened)).toEqual(LINUX_FILES);
  });
});

test('the lab is on the way of none of them, and would be found', () => {
  const { files, modules } = loadedBy([`${CLI}/run.ts`]);
  expect([...files].some(f => roomOf(f) === 'supply')).toBe(true);
  expect(modules).toContain('node:child_process');
});

test.each(['darwin', 'win32'])('on %s these work, and the lab says that it needs Linux', platform => {
  const on = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(
      process.execPath,
      [
        '--import',
        `data:text/javascript,Object.defineProperty(process,'platform',{value:'${platform}'})`,
        join(ROOT, CLI, 'main.ts'),
        ...args,
      ],
      { encoding: 'utf8', timeout: 60_000 },
    );
  expect(on('decode', '0xbd80000000100134', '--vendor', 'intel').stdout).toContain('(SRAR)');
  expect(on('predict', 'srar-data').stdout).toContain('Linux');
  const folder = mkdtempSync(join(tmpdir(), 'syndrome-portable-'));
  try {
    const out = join(folder, 'record.cper');
    for (const physicalAddress of ['0x1000', '0x5000']) {
      const made = on('encode', 'memory', `physicalAddress=${physicalAddress}`, '--out', out);
      expect(made).toMatchObject({ status: 0, stdout: '', stderr: '' });
      expect(on('decode', out).stdout).toContain(`memory error at ${physicalAddress.replace('0x', '0x000000000000')}`);
    }
    const nowhere = on('encode', 'memory', 'physicalAddress=0', '--out', join(folder, 'no/record.cper'));
    expect([nowhere.status, nowhere.stderr]).toEqual([3, expect.stringContaining('cannot write')]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const run = on('run', 'intel-srao-process');
  expect([run.status, run.stdout]).toEqual([3, '']);
  expect(run.stderr).toContain(`the lab needs Linux, and this is ${platform} [E_PLATFORM]`);
});

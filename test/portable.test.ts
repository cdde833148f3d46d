/** Decoding, predicting and encoding work on macOS and Windows: nothing on their way is for Linux. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { targetOf } from '../scripts/imports.ts';
import { roomOf } from '../scripts/rooms.ts';

const ROOT = join(import.meta.dirname, '..');
const CLI = 'packages/cli/src';
/** The ways to other commands: what is loaded only when these are called. */
const OTHERS = new Set([`${CLI}/program.ts`, `${CLI}/many-commands.ts`]);
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

test('on the way of decode, predict and encode nothing starts a machine or a process', () => {
  const entries = ['main', 'program', 'decode', 'predict', 'encode'].map(name => `${CLI}/${name}.ts`);
  const { files, modules } = loadedBy(entries);
  expect(files.size).toBeGreaterThan(100);
  expect([...modules].filter(m => !m.startsWith('node:'))).toEqual(['commander']);
  expect([...modules].filter(m => /child_process|worker|cluster|dgram|inspector/.test(m))).toEqual([]);
  // Of the rooms of the lab tables only: codes, and how JSON and text are drawn.
  const lab = [...files].filter(f =>
    ['supply', 'guest', 'lab', 'report', 'vmm', 'gdb', 'socket'].includes(roomOf(f) ?? ''),
  );
  expect(lab.filter(f => !/\/(error-codes|report\/(json|style))\.ts$/.test(f))).toEqual([]);
});

test.each(['darwin', 'win32'])('on %s decode works and the lab says that it needs Linux', platform => {
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
  const run = on('run', 'intel-srao-process');
  expect([run.status, run.stdout]).toEqual([3, '']);
  expect(run.stderr).toContain(`the lab needs Linux, and this is ${platform} [E_PLATFORM]`);
});

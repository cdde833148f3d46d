/** A folder with all that another person needs to see a run again, without this program. */
import { copyFileSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ensureDir } from '../ensure-dir.ts';
import { LabError } from '../errors.ts';
import { machineKind } from '../machines/registry.ts';
import { machineChannels, shellQuote, stableArgs } from '../machine/qemu-args.ts';
import type { Channel } from '../machine/channels.ts';
import type { Assembly } from '../parts.ts';
import { PLAYER } from './player.ts';

/** A file of the machine, and its name in the folder. */
interface CopiedFile {
  from: string;
  name: string;
}

/** The files that a command line of QEMU names, with a name of its own for each. */
export function filesOf(args: readonly string[]): CopiedFile[] {
  const files = new Map<string, string>();
  for (const path of args.flatMap(arg => arg.split(/[ ,=]/))) {
    if (!path.startsWith('/') || path.startsWith('/dev/') || files.has(path)) continue;
    if (!existsSync(path) || !statSync(path).isFile()) continue;
    const taken = new Set(files.values());
    const name = basename(path);
    let own = name;
    for (let n = 2; taken.has(own); n++) own = `${n}-${name}`;
    files.set(path, own);
  }
  return [...files].map(([from, name]) => ({ from, name }));
}

/** An argument with the folder's own files in it, as a shell takes it. */
function quoted(arg: string, files: readonly CopiedFile[]): string {
  const file = files.find(({ from }) => arg.includes(from));
  if (file === undefined) return shellQuote([arg]);
  const at = arg.indexOf(file.from);
  const [before, after] = [arg.slice(0, at), arg.slice(at + file.from.length)];
  const rest = after === '' ? '' : quoted(after, files);
  return `${before === '' ? '' : shellQuote([before])}"$here"/${file.name}${rest}`;
}

/** The program that starts the machine: `$QEMU`, or the one on PATH, with the files of this folder; its lines are in `$RUN`. */
function machineScript(assembly: Assembly, files: readonly CopiedFile[]): string {
  const { machine } = assembly;
  const args = stableArgs({ ...assembly, files: { ...assembly.files, qemu: [] } });
  const options = args
    .map(arg => quoted(arg, files))
    .reduce<string[]>((rows, word) => {
      const last = rows.at(-1);
      if (word.startsWith('-') || last === undefined || last.includes(' ')) rows.push(word);
      else rows[rows.length - 1] = `${last} ${word}`;
      return rows;
    }, []);
  return `#!/bin/sh
# The machine. Its lines (NAME.sock, NAME.in, NAME.out) are in the folder $RUN; reproduce.py listens there before QEMU starts.
here=$(cd "$(dirname "$0")" && pwd)
cd "\${RUN:?names the folder with the lines of the machine}" || exit 3
exec \${QEMU:-qemu-system-${machineKind(machine).target(machine)}} \\
  ${options.join(' \\\n  ')}
`;
}

/** @throws LabError E_LAB_REPRO where a folder is there and is not empty: nothing is written over. */
export function requireNew(folder: string): void {
  if (!existsSync(folder) || (statSync(folder).isDirectory() && readdirSync(folder).length === 0)) return;
  throw new LabError('E_LAB_REPRO', `${folder} is there and is not empty`, {
    hint: 'Give --out a folder that is not there yet.',
  });
}

/** Writes the folder. @throws what {@link requireNew} throws; the error of the file system. */
export function writeFolder(folder: string, assembly: Assembly, texts: Readonly<Record<string, string>>): CopiedFile[] {
  requireNew(folder);
  ensureDir(folder);
  const args = stableArgs({ ...assembly, files: { ...assembly.files, qemu: [] } });
  const files = filesOf(args);
  for (const { from, name } of files) copyFileSync(from, join(folder, name));
  const programs = { 'machine.sh': machineScript(assembly, files), 'reproduce.py': PLAYER };
  for (const [name, text] of Object.entries(programs)) writeFileSync(join(folder, name), text, { mode: 0o755 });
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
  return files;
}

/** The lines of a machine, as `steps.txt` names them. */
export const channelsOf = (assembly: Assembly): readonly Channel[] => machineChannels(assembly);

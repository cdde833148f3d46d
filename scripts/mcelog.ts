/** @module The mcelog of this machine, if there is one: a peer to be compared with. Debian no longer carries it. */
import { spawnSync } from 'node:child_process';

interface Mcelog {
  path: string;
  version: string;
  /** It reads text on its input and looks at nothing of this machine. */
  words: readonly string[];
}

/** The one that `MCELOG=` names, else that on PATH; undefined where it does not start. */
export function mcelogOnPath(): Mcelog | undefined {
  const path = process.env['MCELOG'] ?? 'mcelog';
  const { status, stdout, stderr } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  if (status !== 0) return undefined;
  return { path, version: (stdout || stderr).trim(), words: ['--no-dmi', '--ascii', '--config-file', '/dev/null'] };
}

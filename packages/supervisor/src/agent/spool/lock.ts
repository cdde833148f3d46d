/** @module One agent for one folder: a second one would give out the same numbers. */
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { SyndromeError } from '@syndrome/decode/common/errors.ts';
import { processFacts, howGone } from '../proc.ts';

/**
 * Takes the lock of a folder, a file with pid and start of its holder; one whose holder is gone is taken over.
 * @returns what gives it back
 * @throws SyndromeError E_AGENT_RUNNING where another process has it
 */
export function lock(path: string): () => void {
  const mine = `${process.pid} ${processFacts(process.pid)?.startTicks ?? '0'}`;
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const fd = openSync(path, 'wx', 0o600);
      writeSync(fd, mine);
      closeSync(fd);
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid, startTicks = ''] = holder(path).split(' ');
    if (startTicks !== '' && howGone({ pid: Number(pid), startTicks }) === undefined) {
      throw new SyndromeError('E_AGENT_RUNNING', `another agent (pid ${pid}) works in the folder of ${path}`, {
        hint: 'End it, or give this one another folder.',
      });
    }
    rmSync(path, { force: true });
  }
  throw new SyndromeError('E_AGENT_RUNNING', `the lock ${path} is taken again and again`);
}

function holder(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** @module A VMM as a process of its own: it outlives the agent that started it. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import type { VmId } from '../../core/ids.ts';
import type { Epoch } from '../../core/ids.ts';
import { bootId, type ProcessFacts, processFacts } from '../proc.ts';
import type { Vms } from '../vms.ts';

/** The part of a name that a file may have. */
const fileName = (vm: VmId): string =>
  vm
    .replaceAll(/[^\w.-]/g, '_')
    .replace(/^\.+/, '_')
    .slice(0, 64);

/** Where the error output of a VM goes; its folder is made. */
export function logOf(vm: VmId, logs: string): string {
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  return join(logs, `${fileName(vm)}.log`);
}

/** A process that was started. */
interface Detached {
  /** Undefined where it was never seen. */
  facts: ProcessFacts | undefined;
  /** Why it is there no more; undefined while it is. */
  ended: () => string | undefined;
}

/** Starts a program with both outputs in a file. Never throws for what the program does. */
function startDetached(argv: readonly string[], cwd: string, log: string, proc?: string): Detached {
  const [program = '', ...args] = argv;
  const fd = openSync(log, 'a', 0o600);
  let ended: string | undefined;
  const child = spawn(program, args, { detached: true, cwd, stdio: ['ignore', fd, fd] });
  closeSync(fd);
  child.once('error', error => (ended = messageOf(error)));
  child.once('exit', (code, killed) => (ended ??= `it ended with ${killed ?? `code ${code}`}: see its log, ${log}`));
  child.unref();
  const facts = child.pid === undefined ? undefined : processFacts(child.pid, proc);
  return { facts, ended: () => ended };
}

/** Which start it is. */
interface Start {
  vms: Vms;
  vm: VmId;
  epoch: Epoch;
  /** Where its monitor will listen, or the file that it will write. */
  socket: string;
  proc?: string | undefined;
}

/**
 * Starts a VM's process. That it begins is written down before, and which process it is afterwards: who looks for its end after a crash
 * in between knows that there is one.
 * @throws the error of the file system where it cannot be written down: nothing was started then
 */
export function startNoted(argv: readonly string[], cwd: string, log: string, start: Start): Detached {
  const { vms, vm, epoch, socket, proc } = start;
  const boot = bootId(proc);
  vms.begins(vm, { epoch, socket, boot });
  let started: Detached;
  try {
    started = startDetached(argv, cwd, log, proc);
  } catch (error) {
    vms.cameToNothing(vm, messageOf(error));
    throw error;
  }
  const { facts } = started;
  if (facts !== undefined) vms.foundCopy(vm, { pid: facts.pid, startTicks: facts.startTicks, boot, socket, epoch });
  return started;
}

/** @module What a program says of a VM, beside what the kernel says of its process: where they differ the kernel is believed. */
import type { Epoch, VmId } from '../../core/ids.ts';
import type { VmReport } from '../../core/said.ts';
import { bootId, processFacts } from '../proc.ts';
import { howGoneCopy, type Vms } from '../vms.ts';
import type { ExecVm } from './contract.ts';
import { wrapped } from './definition.ts';

/** Where the copy of a VM is found; the program knows. */
export const placeOf = (vm: VmId): string => `exec:${vm}`;

const OVER: ReadonlySet<VmReport['state']> = new Set(['gone', 'shut-off']);

/** Whether a state says that nothing of a VM runs. */
export const isOver = (state: VmReport['state']): boolean => OVER.has(state);

/**
 * Takes what was said of a VM: its process is written down while it can be seen.
 * @returns what is told of it: a VM that is said to be gone runs on while its process does
 */
export function takeSaid(vms: Vms, said: ExecVm, epochOf: (vm: VmId) => Epoch): VmReport {
  const { vm, pid, definition } = said;
  const known = vms.of(vm, 'exec');
  known.vmm = 'exec';
  const process = pid === undefined || isOver(said.state) ? undefined : processFacts(pid);
  if (process !== undefined && process.state !== 'Z') {
    const { startTicks } = process;
    const found = { pid: process.pid, startTicks, boot: bootId(), socket: placeOf(vm) };
    vms.foundCopy(vm, { ...found, report: report(said, found, epochOf(vm)) });
  }
  const { copy } = known;
  const runs = copy !== undefined && howGoneCopy(copy) === undefined;
  const lies = isOver(said.state) && runs && copy.left !== true;
  const state = lies ? 'running' : said.state;
  return {
    ...report({ ...said, state }, copy, epochOf(vm)),
    ...(lies ? { reason: `said to be ${said.state}, and its process ${copy.pid} is there` } : {}),
    ...(definition === undefined ? {} : { definition: wrapped(definition) }),
  };
}

function report(said: ExecVm, copy: { pid: number; startTicks: string } | undefined, epoch: Epoch): VmReport {
  const { definition: _, pid: __, name = said.vm, needs, cpuModel, owner, ...rest } = said;
  return {
    kind: 'vm',
    ...rest,
    name,
    ...(copy === undefined ? {} : { pid: copy.pid, startTicks: copy.startTicks }),
    vmm: 'exec',
    ...(needs === undefined ? {} : { needs }),
    ...(cpuModel === undefined ? {} : { cpuModel }),
    ...(owner === undefined ? {} : { owner }),
    epoch,
  };
}

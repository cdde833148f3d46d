/**
 * @module A process that ends between being seen to run and the answer of its start. Its end was told before that answer, when it was still
 * to come, and the controller would take the copy for running: so it is told once more behind the answer.
 */
import { event } from '@syndrome/decode/events/event.ts';
import type { ActResult } from '../core/act.ts';
import type { Said, VmReport } from '../core/said.ts';
import { pause } from './reconnect.ts';
import { type KnownVm, type Vms, howGoneCopy } from './vms.ts';

/** libvirt tells an end at once, and why; this long is waited for its word, ms. */
const WORD_MS = 5000;
const LOOK_MS = 20;

const isAlive = ({ state }: VmReport): boolean => state !== 'gone' && state !== 'shut-off';

/** What libvirt says of a domain whose process is gone: an owner's shutdown is no death. */
async function wordOfLibvirt(known: KnownVm, signal: AbortSignal): Promise<VmReport | undefined> {
  const until = performance.now() + WORD_MS;
  while (known.report === undefined || isAlive(known.report)) {
    if (performance.now() > until || signal.aborted) return undefined;
    await pause(LOOK_MS, signal);
  }
  return known.report;
}

/**
 * What has to be told behind the answer of a start: nothing while the process that it names is there.
 * @param result the answer, as it was written; only a confirmed one has a process
 * @example await endBehind(vms, { action: 's', vm: 'web', epoch: 2, state: 'confirmed', seen: { pid: '7', startTicks: '9' } }, signal)
 */
export async function endBehind(vms: Vms, result: ActResult, signal: AbortSignal): Promise<Said[]> {
  const { vm, state, seen = {}, epoch } = result;
  const known = vm === undefined ? undefined : vms.find(vm);
  const copy = known?.copy;
  if (state !== 'confirmed' || vm === undefined || known === undefined || copy === undefined) return [];
  if (String(copy.pid) !== seen['pid'] || copy.startTicks !== seen['startTicks']) return [];
  const gone = howGoneCopy(copy);
  if (gone === undefined) return [];
  const isOfIt = known.report?.pid === copy.pid && known.report.startTicks === copy.startTicks;
  const isDomain = known.vmm === 'libvirt';
  const last = isDomain ? await wordOfLibvirt(known, signal) : isOfIt ? known.report : copy.report;
  if (last === undefined) return [];
  const { definition: _, ...rest } = last;
  const reason = isDomain && last.reason !== undefined ? last.reason : gone;
  const report: VmReport = { ...rest, state: 'gone', reason, epoch: Math.max(epoch, last.epoch) };
  known.report = report;
  // Why a domain has ended libvirt says; of a bare process nobody has asked for the end.
  if (isDomain) return [report];
  return [{ kind: 'event', source: 'proc', vm, event: event('vmm.exit', {}) }, report];
}

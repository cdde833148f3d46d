/** A vCPU's thread: runs the guest, emulates its two serial lines, and turns errors into events and aborts. */
import { parentPort, workerData } from 'node:worker_threads';
import { classifyArm } from '@syndrome/decode/arm/classify.ts';
import { armSeaAddresses } from '@syndrome/decode/arm/kvm.ts';
import type { ArmSeaRecord } from '@syndrome/decode/arm/record.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { CoalescedRing } from './coalesced.ts';
import { EventWriter } from './events.ts';
import type { EventAddress, GuestPlace, InjectAction, QuarantineAction } from './events.ts';
import { externalInstructionAbort, levelOf } from './exception.ts';
import { answerMmioRead, decodeExit, exitOfFailure } from './exits.ts';
import type { Exit } from './exits.ts';
import { MAP, PAGE } from './layout.ts';
import { BUS_CODE, blockSignals, ERRNO, hostPageBytes, SIGNAL, takeSignal, threadId } from './libc.ts';
import type { TakenSignal } from './libc.ts';
import { readOwnWord } from './own-memory.ts';
import { hostPlace } from './pagemap.ts';
import { blockOf } from './quarantine.ts';
import { seaResponse } from './sea.ts';
import { interruptLine } from './interrupt-line.ts';
import { SerialLine } from './serial.ts';
import { COMMAND, SharedBlock, STATE } from './shared.ts';
import { walkStage1 } from './stage1.ts';
import type { FromVcpu, VcpuThreadData } from './threads.ts';
import { Vcpu } from './vcpu.ts';

const QUARANTINE_DEADLINE_MS = 10_000;

const data = workerData as VcpuThreadData;
const shared = new SharedBlock(data.shared);
const events = new EventWriter(data.eventsFd, data.vm, shared);
const cells = shared.vcpu(data.index);
const vcpu = new Vcpu(data.index, data.vcpuFd, data.run);
const ramBytes = BigInt(data.ram.bytes);
const lines = [
  { ...MAP.consoleUart, line: new SerialLine(data.console, interruptLine(data.vmFd, MAP.consoleUart.spi)) },
  { ...MAP.agentUart, line: new SerialLine(data.agent, interruptLine(data.vmFd, MAP.agentUart.spi)) },
];
const ring = data.ring === undefined ? undefined : new CoalescedRing(vcpu.run, data.ring);
const INTERRUPTING = [SIGNAL.SIGUSR2, SIGNAL.SIGBUS];
/** Pages of unknown devices that were reported; each once, and not without end. */
const unhandled = new Set<bigint>();
const UNHANDLED_MAX = 256;

const tell = (message: FromVcpu): void => parentPort?.postMessage(message);

function main(): void {
  vcpu.setSignalMask(blockSignals(INTERRUPTING));
  cells.threadId = threadId();
  for (;;) {
    if (cells.command === COMMAND.PAUSE) {
      cells.enter(STATE.PARKED);
      cells.waitWhile(COMMAND.PAUSE);
    }
    if (cells.command === COMMAND.STOP) break;
    cells.enter(STATE.RUNNING);
    // An order that came before the state was visible must not be missed: whoever orders looks at the state second.
    if (cells.command !== COMMAND.RUN) continue;
    const result = vcpu.enterGuest();
    takeCoalescedWrites();
    if (result === -ERRNO.EINTR || result === -ERRNO.EAGAIN) takeSignals();
    else {
      const exit = result < 0 ? exitOfFailure(-result, vcpu.run) : decodeExit(vcpu.run);
      if (exit === undefined) return fail(`KVM_RUN failed with errno ${-result}`, []);
      if (!handle(exit)) return;
    }
  }
}

/** Writes that KVM kept back come before whatever ended the run: the guest did them first. */
function takeCoalescedWrites(): void {
  if (ring === undefined || ring.empty) return;
  shared.ringMutex.run(() => {
    const writes = ring.take();
    for (const { base, line } of lines) {
      const values = writes.filter(write => write.address === base).map(write => write.value);
      if (values.length > 0) line.guestWrites(0, values);
    }
  });
}

function takeSignals(): void {
  for (;;) {
    const signal = takeSignal(INTERRUPTING, 0);
    if (signal === undefined) return;
    if (signal.signo === SIGNAL.SIGBUS) onSigbus(signal);
  }
}

/** Acts on an exit; false ends the machine. */
function handle(exit: Exit): boolean {
  switch (exit.kind) {
    case 'mmio':
      if (inRam(exit.address)) quarantineHit(exit.kind, exit.address, exit.write);
      else onMmio(exit);
      return true;
    case 'nisv':
      if (inRam(exit.gpa)) quarantineHit(exit.kind, exit.gpa, undefined);
      else onUndescribed(exit.gpa);
      return true;
    case 'arm-sea':
      return onSea(exit);
    case 'interrupted':
      takeSignals();
      return true;
    case 'system-event':
      events.emit({ event: 'system-event', vcpu: vcpu.index, type: exit.type, name: exit.event, data: exit.data });
      if (exit.event === 'wakeup' || exit.event === 'suspend') return true;
      tell({ kind: 'ended', reason: exit.event });
      return false;
    case 'fail-entry':
      fail('KVM could not enter the guest', [exit.reason]);
      return false;
    case 'internal-error':
      fail(`KVM internal error ${exit.suberror}`, exit.data);
      return false;
    case 'memory-fault':
      fail('KVM_EXIT_MEMORY_FAULT', [exit.flags, exit.gpa, exit.size]);
      return false;
    case 'unknown':
      fail(`exit reason ${exit.reason} is not known to this VMM`, []);
      return false;
  }
}

function fail(reason: string, values: readonly bigint[]): void {
  events.emit({ event: 'run-failed', vcpu: vcpu.index, reason, data: values });
  tell({ kind: 'ended', reason: 'run-failed' });
}

function onMmio(exit: Extract<Exit, { kind: 'mmio' }>): void {
  const { address, write, length, value } = exit;
  const uart = lines.find(({ base, size }) => address >= base && address < base + BigInt(size));
  if (uart !== undefined) {
    const register = Number(address - uart.base) % 8;
    if (write) uart.line.guestWrite(register, Number(BigInt.asUintN(8, value)));
    else answerMmioRead(vcpu.run, BigInt(uart.line.guestRead(register)));
    return;
  }
  if (!write) answerMmioRead(vcpu.run, 0n);
  reportUnhandled(address, { write, value, length });
}

/** An access to something that is no memory, by an instruction that KVM cannot take apart: it must fault. */
function onUndescribed(gpa: bigint): void {
  reportUnhandled(gpa, {});
  vcpu.injectDataAbort();
}

function reportUnhandled(gpa: bigint, access: { write?: boolean; value?: bigint; length?: number }): void {
  const page = blockOf(gpa, PAGE);
  if (unhandled.has(page) || unhandled.size >= UNHANDLED_MAX) return;
  unhandled.add(page);
  events.emit({ event: 'unhandled-mmio', vcpu: vcpu.index, gpa, ...access });
}

/** A synchronous external abort of the guest: on record first, then into the guest, then the page out of reach. */
function onSea(exit: ArmSeaRecord): boolean {
  const syndrome = classifyArm(exit);
  const given = armSeaAddresses(exit);
  const found = findGpa(given, syndrome.walkLevel);
  const { action, quarantine, certain } = seaResponse({
    syndrome,
    gpa: found.gpa,
    source: found.source,
    isRam: found.gpa !== undefined && inRam(found.gpa),
    isQuarantined: found.gpa !== undefined && shared.isQuarantined(found.gpa),
    policy: data.quarantine,
  });
  events.emit({
    event: 'arm-sea',
    ...place(),
    flags: exit.flags ?? 0n,
    esr: exit.esr,
    syndrome,
    gva: { valid: given.gva !== undefined, value: exit.gva ?? 0n },
    gpa: {
      valid: found.gpa !== undefined,
      ...(found.gpa === undefined ? {} : { value: found.gpa }),
      source: found.source,
      certain,
      ...(found.reason === undefined ? {} : { reason: found.reason }),
    },
    ...hostOf(found.gpa),
    ...(found.suspect === undefined ? {} : { suspect: { valid: true, value: found.suspect } }),
    action,
    quarantine,
  });
  if (action === 'inject-data-abort') vcpu.injectDataAbort();
  else if (action === 'inject-instruction-abort') injectInstructionAbort(given.gva);
  else return (fail('an external abort that is neither of data nor of an instruction', [exit.esr]), false);
  report(quarantine, found.gpa, 'arm-sea', 0);
  return true;
}

/** Makes the guest take an external instruction abort on an address, undefined where it is not known. */
function injectInstructionAbort(address: bigint | undefined): void {
  const state = {
    pc: vcpu.get('PC'),
    pstate: vcpu.get('PSTATE'),
    vbar: vcpu.get('VBAR_EL1'),
    sctlr: vcpu.get('SCTLR_EL1'),
  };
  vcpu.enterEl1(externalInstructionAbort(state, address));
}

/** An access to a page that was taken out of the guest's memory. It must not go on: the abort says so again. */
function quarantineHit(exit: 'mmio' | 'nisv', gpa: bigint, write: boolean | undefined): void {
  const access = write === undefined ? {} : { write };
  events.emit({ event: 'quarantine-hit', ...place(), exit, gpa, ...access, action: 'inject-data-abort' });
  vcpu.injectDataAbort();
}

/** SIGBUS on this thread: KVM met a page that the host kernel has poisoned (BUS_MCEERR_AR), or a late notice (AO). */
function onSigbus(signal: TakenSignal): void {
  const codename = BUS_CODE[signal.code] ?? `code ${signal.code}`;
  const gpa = inHostRam(signal.address) ? signal.address - data.ram.hva + data.ram.gpa : undefined;
  const action: InjectAction = codename === 'BUS_MCEERR_AR' && gpa !== undefined ? 'inject-data-abort' : 'none';
  const quarantine: QuarantineAction =
    gpa === undefined ? 'no-address' : shared.isQuarantined(gpa) ? 'already' : data.quarantine;
  events.emit({
    event: 'sigbus',
    vcpu: vcpu.index,
    code: signal.code,
    codename,
    lsb: signal.lsb,
    hva: signal.address,
    gpa: { valid: gpa !== undefined, ...(gpa === undefined ? { source: 'none' } : { value: gpa, source: 'hva' }) },
    action,
    quarantine,
  });
  if (action === 'inject-data-abort') vcpu.injectDataAbort();
  report(quarantine, gpa, 'sigbus', signal.lsb);
  // A memory error outside the guest's memory is the VMM's own: it cannot trust itself any more.
  if (gpa === undefined && codename === 'BUS_MCEERR_AR') tell({ kind: 'ended', reason: 'vmm-memory-error' });
}

/**
 * The guest physical address of an abort: KVM's own, else by walking the guest's tables. When the hardware's walk was
 * aborted, the descriptor it wanted may be what is poisoned, and this thread would die of reading it: `suspect`.
 */
function findGpa(
  { gva, gpa }: { gva?: bigint; gpa?: bigint },
  walkLevel: number | undefined,
): { gpa?: bigint; source: 'exit' | 'stage1-walk' | 'none'; reason?: string; suspect?: bigint } {
  if (gpa !== undefined) return { gpa, source: 'exit' };
  if (gva === undefined) return { source: 'none', reason: 'no-virtual-address' };
  const registers = {
    ttbr0: vcpu.get('TTBR0_EL1'),
    ttbr1: vcpu.get('TTBR1_EL1'),
    tcr: vcpu.get('TCR_EL1'),
    sctlr: vcpu.get('SCTLR_EL1'),
  };
  const walk = walkStage1(gva, registers, readRam, walkLevel);
  if (walk.ok) return { gpa: walk.gpa, source: 'stage1-walk' };
  if (walk.reason === 'suspect')
    return { source: 'none', reason: `walk-aborted, level ${walk.level}`, suspect: walk.descriptor };
  return { source: 'none', reason: walk.level === undefined ? walk.reason : `${walk.reason}, level ${walk.level}` };
}

/** A word of guest memory; undefined outside it and in pages that must not be read again. */
function readRam(gpa: bigint): bigint | undefined {
  if (!inRam(gpa) || gpa - data.ram.gpa > ramBytes - 8n || shared.isQuarantined(gpa)) return undefined;
  return readOwnWord(gpa - data.ram.gpa + data.ram.hva);
}

/** Hands an error to the main thread; when the page is to go, the guest does not run again before it is gone. */
function report(action: QuarantineAction, gpa: bigint | undefined, by: 'arm-sea' | 'sigbus', lsb: number): void {
  const now = action === 'now';
  const seen = cells.answers;
  tell({ kind: 'error', vcpu: vcpu.index, by, ...(gpa === undefined ? {} : { gpa }), lsb, quarantine: now });
  if (!now || gpa === undefined) return;
  cells.enter(STATE.PARKED);
  if (!cells.waitForAnswer(seen, QUARANTINE_DEADLINE_MS))
    events.emit({ event: 'quarantine-refused', gpa, by, reason: 'the main thread did not answer in time' });
}

function place(): GuestPlace {
  return { vcpu: vcpu.index, pc: vcpu.get('PC'), el: levelOf(vcpu.get('PSTATE')) };
}

const inRam = (gpa: bigint): boolean => gpa >= data.ram.gpa && gpa < data.ram.gpa + ramBytes;
const inHostRam = (hva: bigint): boolean => hva >= data.ram.hva && hva < data.ram.hva + ramBytes;
/** Where guest memory is in the VMM and in the host. */
function hostOf(gpa: bigint | undefined): { hva: EventAddress; hpa: EventAddress } {
  if (gpa === undefined || !inRam(gpa)) return { hva: { valid: false }, hpa: { valid: false } };
  const hva = gpa - data.ram.gpa + data.ram.hva;
  return { hva: { valid: true, value: hva }, hpa: hostPlace(hva, hostPageBytes()) };
}

try {
  main();
} catch (error) {
  fail(messageOf(error), []);
} finally {
  cells.enter(STATE.STOPPED);
}

/**
 * Breaks a nested guest's translation from outside: one stage-2 table descriptor of the host in the machine (L1) is
 * pointed at a physical address where nothing is, so that the next walk for its guest (L2) takes a synchronous external
 * abort on a stage-2 translation table walk, to EL2: what KVM reports as KVM_EXIT_ARM_SEA (Linux 6.19 and later).
 *
 * Every page the descriptor's table maps is hit, not only the one named: 2 MiB with 4 KiB pages and a level-2
 * descriptor. The descriptor must be put back (restore()) before L1 destroys the VM, or L1's kernel walks into it.
 *
 * When L2 takes notice. TCG keeps translations of both stages together in its own TLB, which a write to memory does
 * not touch. Seen with QEMU 11.1 (poke.machine.test.ts): a page that L2 has touched since the last flush goes on
 * working; a page it has not touched aborts at once; and HCR_EL2.VM changing value flushes, which KVM causes
 * by every exit to the host's kernel and userspace, so that a running guest meets the abort with its first access
 * after its next exit. With KVM of Linux 7.2 as L1 both a page touched before and one never touched gave
 * KVM_EXIT_ARM_SEA (esr 0x92000017) when read some seconds later, and after restore() the VM was destroyed cleanly.
 *
 * | code | meaning |
 * |---|---|
 * | E_STAGE2_NO_GUEST | no vCPU was seen at EL0 or EL1 with stage 2 on, in any of the attempts |
 * | E_STAGE2_NO_TABLE | the walk has no table descriptor (at the level asked for) |
 * | E_STAGE2_CHANGED | somebody else has changed the descriptor since: it was left alone |
 * | E_STAGE2_NOT_KEPT | the machine did not keep what was written |
 */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, UsageError } from '@syndrome/decode/common/errors.ts';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import type { GdbClient } from './client.ts';
import { CPSR, HCR_EL2, VTTBR_EL2 } from './el2-registers.ts';
import { Stage2Error } from './errors.ts';
import { type Stage2Step, type Stage2Walk, stage2Format, walkStage2, withTableAddress } from './stage2.ts';

/** Nothing is mapped there on QEMU's virt machine (between the PL061/RTC block and virtio-mmio), and it is aligned to every granule. */
export const UNASSIGNED_ON_VIRT = 0x0980_0000n;

/** How long the machine runs between two looks at it, ms, and how often it is looked at. */
const DEFAULT_SLICE_MS = 20;
const DEFAULT_ATTEMPTS = 200;

type Stage2Registers = { vttbr: bigint; vtcr: bigint };

type GuestInView = Stage2Registers & {
  /** The vCPU of the machine that runs the nested guest. */
  thread: string;
  /** Exception level it was halted at. */
  el: 0 | 1;
};

type FindGuestOptions = {
  /** How often to look. Default 200. */
  attempts?: number;
  /** How long to let the machine run between two looks, ms. Default 20. */
  sliceMs?: number;
  /** Accepts a guest; default any. For hosts that run several: compare VTTBR_EL2. */
  accept?: (guest: GuestInView) => boolean;
};

type BreakOptions = FindGuestOptions & {
  /** The guest's (L2's) physical address. */
  ipa: bigint;
  /** Level of the table descriptor to change. Default: the last one of the walk, which hits the fewest pages. */
  level?: number;
  /** Where the descriptor shall point. Default {@link UNASSIGNED_ON_VIRT}. */
  to?: bigint;
  /** Use these registers instead of waiting for the guest to be seen running. */
  registers?: Stage2Registers;
  /** Leave the machine halted at the end. Default false: it runs. */
  leaveHalted?: boolean;
};

type BrokenWalk = {
  /** Puts the descriptor back, when it still is what was written. The machine runs or stands as before. Repeatable. */
  restore(): Promise<void>;
  /** The walk as it was. */
  steps: Stage2Step[];
  descriptorAddress: bigint;
  was: bigint;
  now: bigint;
  /** The tables it was done in; usable as `registers` of a later call while the guest exists. */
  registers: Stage2Registers;
};

/**
 * Halts the machine at a moment when one of its vCPUs runs a nested guest: at EL0 or EL1, HCR_EL2.VM set, TGE clear,
 * VTTBR_EL2 with a table. The machine is left HALTED; also when it throws Stage2Error (E_STAGE2_NO_GUEST).
 */
export async function haltInGuest(client: GdbClient, options: FindGuestOptions = {}): Promise<GuestInView> {
  const attempts = options.attempts ?? DEFAULT_ATTEMPTS;
  const sliceMs = options.sliceMs ?? DEFAULT_SLICE_MS;
  for (let attempt = 1; ; attempt++) {
    await client.halt();
    for (const thread of await client.threads()) {
      const guest = await guestOn(client, thread);
      if (guest !== undefined && (options.accept?.(guest) ?? true)) return guest;
    }
    if (attempt >= attempts) {
      throw new Stage2Error('E_STAGE2_NO_GUEST', `no vCPU was seen in a nested guest, in ${attempts} looks`, {
        hint: 'The guest must be executing: one that waits for an interrupt is not. Let it run a busy loop.',
      });
    }
    await client.resume();
    // Not a synchronisation: the machine is given time to run, and is then looked at.
    await delay(sliceMs);
  }
}

/** Reads the u64 at a guest-physical address of the machine. */
export async function readPhysicalU64(client: GdbClient, address: bigint): Promise<bigint> {
  return Buffer.from(await client.readMemory(address, 8, { physical: true })).readBigUInt64LE();
}

/** Walks the stage-2 tables in the machine's memory; the machine must be halted. */
export function walkMachineStage2(client: GdbClient, registers: Stage2Registers, ipa: bigint): Promise<Stage2Walk> {
  return walkStage2({ ...registers, ipa }, address => readPhysicalU64(client, address));
}

/**
 * Points one table descriptor of the guest's stage-2 walk at an unassigned address and lets the machine run. Throws
 * Stage2Error; then the machine runs or stands as it did before.
 */
export async function breakStage2Walk(client: GdbClient, options: BreakOptions): Promise<BrokenWalk> {
  const before = client.state;
  try {
    const registers = options.registers ?? (await haltInGuest(client, options));
    await client.halt();
    const { vttbr, vtcr } = registers;
    const broken = await change(client, { vttbr, vtcr }, options);
    if (options.leaveHalted) return broken;
    try {
      await client.resume();
    } catch (error) {
      await broken.restore().catch(() => {}); // nobody else would know what to put back
      throw error;
    }
    return broken;
  } catch (error) {
    if (before === 'running') await client.resume().catch(() => {}); // the first error is the one to tell
    throw error;
  }
}

async function change(client: GdbClient, registers: Stage2Registers, options: BreakOptions): Promise<BrokenWalk> {
  const { steps } = await walkMachineStage2(client, registers, options.ipa);
  const step = tableStep(steps, options);
  const { descriptorAddress, descriptor: was } = step;
  const now = withTableAddress(was, options.to ?? UNASSIGNED_ON_VIRT, stage2Format(registers.vtcr));
  if (now === was) throw new UsageError('E_STAGE2_NO_CHANGE', `the descriptor is ${hex64(was)} already`);
  await writeDescriptor(client, descriptorAddress, now, was);
  return { restore: () => restore(client, descriptorAddress, was, now), steps, descriptorAddress, was, now, registers };
}

function tableStep(steps: Stage2Step[], { ipa, level }: BreakOptions): Stage2Step {
  const tables = steps.filter(step => step.kind === 'table');
  const step = level === undefined ? tables.at(-1) : tables.find(table => table.level === level);
  if (step !== undefined) return step;
  const walked = steps.map(s => `level ${s.level} ${s.kind}`).join(', ') || 'nothing';
  const where = level === undefined ? '' : ` at level ${level}`;
  throw new Stage2Error('E_STAGE2_NO_TABLE', `IPA ${hex64(ipa)} has no table descriptor${where}: ${walked}`, {
    hint: 'A block has no table under it: back the memory by small pages (MADV_NOHUGEPAGE), and let the guest touch a neighbouring page first.',
  });
}

async function restore(client: GdbClient, address: bigint, was: bigint, now: bigint): Promise<void> {
  const running = client.state === 'running';
  await client.halt();
  try {
    const current = await readPhysicalU64(client, address);
    if (current === was) return;
    if (current !== now) {
      throw new Stage2Error(
        'E_STAGE2_CHANGED',
        `the descriptor at ${hex64(address)} is ${hex64(current)}, not the ${hex64(now)} that was written`,
        { hint: 'The host has changed its tables (the guest may be gone), so the memory is no longer ours to write.' },
      );
    }
    await writeDescriptor(client, address, was, now);
  } finally {
    if (running) await client.resume();
  }
}

/** Writes and reads back; puts the old value back when the new one was not kept. */
async function writeDescriptor(client: GdbClient, address: bigint, value: bigint, old: bigint): Promise<void> {
  await client.writeMemory(address, bytesOf(value), { physical: true });
  const kept = await readPhysicalU64(client, address);
  if (kept === value) return;
  const undone = await client.writeMemory(address, bytesOf(old), { physical: true }).then(
    () => '',
    (error: unknown) => `; putting ${hex64(old)} back failed: ${messageOf(error)}`,
  );
  throw new Stage2Error(
    'E_STAGE2_NOT_KEPT',
    `the descriptor at ${hex64(address)} was to become ${hex64(value)} and is ${hex64(kept)}${undone}`,
  );
}

async function guestOn(client: GdbClient, thread: string): Promise<GuestInView | undefined> {
  const r = await client.readRegisters(['cpsr', 'HCR_EL2', 'VTTBR_EL2', 'VTCR_EL2'], { thread });
  const el = exceptionLevel(r.cpsr);
  const { VM, TGE } = HCR_EL2.decode(r.HCR_EL2);
  if (el === undefined || !VM || TGE) return undefined;
  if (VTTBR_EL2.decode(r.VTTBR_EL2).BADDR === 0n) return undefined;
  return { thread, el, vttbr: r.VTTBR_EL2, vtcr: r.VTCR_EL2 };
}

/** 0 or 1 from PSTATE.M, AArch32 modes included; undefined above. */
function exceptionLevel(cpsr: bigint): 0 | 1 | undefined {
  const mode = Number(CPSR.decode(cpsr).M);
  if (mode === 0x00 || mode === 0x10) return 0;
  if (mode === 0x04 || mode === 0x05) return 1;
  // AArch32: every privileged mode but Monitor and Hyp is at EL1.
  return mode > 0x10 && mode !== 0x16 && mode !== 0x1a ? 1 : undefined;
}

function bytesOf(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

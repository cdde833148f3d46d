/** @module What to do with a record: where to look, and what would settle what it leaves open. */
import { ESR } from '../arm/esr.ts';
import { exceptionClass } from '../arm/exception-class.ts';
import { classify, gradedClass } from './classify.ts';
import type { McaClass } from './classify.ts';
import { componentOf, isFirmwareBank } from './component.ts';
import type { Component, ComponentArea } from './component.ts';
import { cpuOf } from './cpu.ts';
import { softwareShapes } from './lint-shapes.ts';
import { likelySentence, likelyVendor } from './likely-vendor.ts';
import { bogusNote, virtualCpu } from './not-hardware.ts';
import { isBroadcastFiller } from './vmm-made.ts';
import { concernsData, pageShape, saysAddressMode } from './page.ts';
import type { McaDeciding } from './deciding.ts';
import { MCG_STATUS, MCI_STATUS_AMD, MCI_STATUS_INTEL } from './registers.ts';
import { bankId } from './smca-banks.ts';
import { severity } from './severity.ts';
import type { McaSeverity } from './severity.ts';

const BY_SEVERITY: Readonly<Record<McaSeverity, string | undefined>> = {
  none: 'Nothing to do: the bank is empty.',
  corrected: 'Nothing was lost; act when the same place repeats (count per page and per DIMM over 24 hours).',
  deferred: 'The page holds bad data that nobody used yet: take it out of use before it is consumed.',
  'uncorrected-recoverable':
    'Take the page out of use and restart or kill what used it; the rest of the machine may go on where the kernel did not panic (see the outlook).',
  uncorrected: 'Do not trust what ran on this CPU; whether one may go on depends on the kernel (see the outlook).',
  fatal: 'The machine must be reset; read the banks again after the reboot, they usually survive a warm reset.',
  unknown: undefined,
};

/** Areas in which no page and no DIMM is to be counted. */
const NO_MEMORY: ReadonlySet<ComponentArea> = new Set(['core', 'cache', 'fabric', 'link', 'io']);
const CORRECTED_UNIT = 'Nothing was lost; act when the same unit repeats (count per CPU and bank over 24 hours).';

const WITHOUT_DATA =
  'No page is known to be bad and the processor went on: act when it repeats, or when other errors come with it.';

/** With MCG_STATUS.MCIP clear no exception came with it (SDM vol. 3B, IA32_MCG_STATUS MSR): nothing stops for it now. */
const LEFT_OVER =
  'No machine check exception came with it (MCG_STATUS.MCIP is clear): it was found in its bank, where it stood from before: from an earlier boot, where Linux logs it while it starts (TSC is 0 then). The machine that runs needs no reset for it; look for what ended the boot before.';

function isLeftOver({ mcgStatus, bank }: McaDeciding, grade: McaSeverity): boolean {
  if (grade !== 'fatal' || mcgStatus === undefined || isFirmwareBank(bank)) return false;
  return !MCG_STATUS.read(mcgStatus).MCIP;
}

const BY_AREA: Readonly<Record<ComponentArea, string | undefined>> = {
  memory: 'Look at the EDAC counters and the firmware event log for the DIMM.',
  cache: 'A cache that repeats points at the processor: compare the other records of this CPU, swap or update it.',
  core: 'A core error that repeats points at the processor: check microcode, cooling and voltage, then swap it.',
  fabric: 'Compare the records of all sockets at that time: the first one is usually the cause.',
  link: 'Check the seating of the processors and the other end of the link.',
  io: 'Read the AER registers of the port and the devices below it.',
  firmware: 'Check the firmware event log and the firmware version.',
  unknown: undefined,
};

/** What is missing to say more, one sentence per open point. */
function openPoints(record: McaDeciding, where: Component): string[] {
  const points: string[] = [];
  const s = MCI_STATUS_INTEL.read(record.status);
  if (record.vendor === undefined) {
    const likely = likelyVendor(record);
    if (likely !== undefined) points.push(likelySentence(likely));
    points.push(
      'Find the vendor of the CPU (the PROCESSOR line or the name of the CPU in the log, else what the machine says of itself) and give it with --vendor, or --cpuid: it decides how the status reads.',
    );
    return points;
  }
  if (isFirmwareBank(record.bank)) {
    points.push('Look for the firmware record (CPER) of the same moment: it says what this made-up bank cannot.');
    return points;
  }
  if (record.vendor === 'amd' && bankId(record) === undefined && cpuOf(record) === undefined) {
    points.push('MCA_IPID or the CPU family would name the unit.');
  }
  if (record.vendor === 'intel' && cpuOf(record) === undefined && s.MSCOD !== 0n) {
    points.push('The CPU model (CPUID) would give the model-specific code a meaning.');
  }
  if (s.ADDRV && record.addr === undefined) points.push('The status says that an address was recorded: find it.');
  if (s.ADDRV && record.addr !== undefined && pageShape(record) === undefined && where.area === 'memory') {
    points.push(
      record.vendor === 'amd'
        ? "The address is the channel's own: the kernel's address translation (amd_atl) gives the system address."
        : saysAddressMode(record)
          ? 'MCi_MISC would say what kind of address it is.'
          : 'A CPU without software error recovery (MCG_CAP.SER_P) does not say what kind of address it is; of a memory controller it is most likely the one of the system.',
    );
  }
  if (s.OVER) points.push('OVER: at least one more error happened; look for records of the same bank just before.');
  return points;
}

function consumedPoison(record: McaDeciding): boolean {
  return record.vendor === 'amd' && classify(record) === 'UC' && MCI_STATUS_AMD.read(record.status).POISON;
}

/** Classes of bad data: a cache or link that names itself only noticed what the memory holds. */
const DATA_CLASSES: ReadonlySet<McaClass> = new Set(['UCNA', 'SRAO', 'SRAR']);

function areaStep(record: McaDeciding, where: Component): string | undefined {
  if (consumedPoison(record)) {
    return 'The core only used the data; the poison was made elsewhere: look for an earlier deferred record with the same address.';
  }
  if (where.area === 'cache' && DATA_CLASSES.has(gradedClass(record))) {
    return 'The cache only noticed; the data was bad before: look for a memory controller record with the same address.';
  }
  return BY_AREA[where.area];
}

const ESR_STEP =
  'This is no machine check status. It looks like an ESR of arm64, an abort: decode it with --esr (or esr=0x96000410, say).';

/** A value that as a status is empty and as a syndrome is an abort or an SError, without a second syndrome. */
function looksLikeEsr(status: bigint): boolean {
  const { EC, ISS2, reserved } = ESR.read(status);
  const kind = exceptionClass(Number(EC))?.iss;
  return reserved === 0n && ISS2 === 0n && kind !== undefined && kind !== 'other';
}

/** A record that a virtual machine monitor made is the shadow of one on the host. */
function hostStep(record: McaDeciding): string | undefined {
  const shapes = softwareShapes(record).map(shape => shape.code);
  if (shapes.some(code => code.startsWith('L_MCA_QEMU_'))) {
    return "QEMU made this record: the cause is in the host's kernel log at the same moment, unless it was injected.";
  }
  if (shapes.includes('L_MCA_HYPERV_MADE')) {
    return "Very likely Hyper-V made this record for its guest: look at the host's event log (WHEA-Logger, Hyper-V-Worker) at the same moment; without an entry there no hardware failed, and the case is Microsoft's.";
  }
  const who = virtualCpu(record);
  return who === undefined
    ? undefined
    : `The microcode revision says that the CPU is a virtual one, of ${who}: the machine is a guest, and the cause is to be found in the log of the host at the same moment.`;
}

/** A hypervisor gave it to its guest: nothing that the guest can reset or replace has to do with it. */
const GUEST_STOPS =
  'The guest has to be started again; its banks are those of a virtual CPU and say no more afterwards.';

const isStep = (step: string | undefined): step is string => step !== undefined;

/** For what is known to be of the boot before: whatever it was, it stops nothing now. */
const OF_EARLIER_BOOT = 'The machine that runs needs no reset for it; look for what ended the boot before.';

/** {@link stepsFor} of a record that the firmware kept from the boot before this one. */
export function stepsOfEarlierBoot(record: McaDeciding): string[] {
  const bad = severity(record);
  if (bad === 'none' || bad === 'corrected' || bad === 'unknown' || bogusNote(record) !== undefined)
    return stepsFor(record);
  const where = componentOf(record);
  return [OF_EARLIER_BOOT, areaStep(record, where), hostStep(record), ...openPoints(record, where)].filter(isStep);
}

function firstStep(record: McaDeciding, grade: McaSeverity, { area }: Component): string | undefined {
  if (grade === 'deferred' && !concernsData(record)) return WITHOUT_DATA;
  return grade === 'corrected' && NO_MEMORY.has(area) ? CORRECTED_UNIT : BY_SEVERITY[grade];
}

/**
 * What to do next: the most useful step first. One sentence each; empty only when nothing is known at all.
 * @param where its component, for who has it already
 */
export function stepsFor(record: McaDeciding, where = componentOf(record)): string[] {
  const grade = severity(record);
  const first = firstStep(record, grade, where);
  if (isBroadcastFiller(record)) {
    return ['Nothing to do here: look at the record of the CPU that the broadcast was about.'];
  }
  if (grade === 'none') return looksLikeEsr(record.status) ? [ESR_STEP] : [first ?? ''];
  const bogus = bogusNote(record);
  if (bogus !== undefined) {
    return [`Nothing failed: ${bogus}.`, 'Update kernel, microcode and firmware; nothing has to be replaced for it.'];
  }
  if (isLeftOver(record, grade)) {
    return [LEFT_OVER, areaStep(record, where), hostStep(record), ...openPoints(record, where)].filter(isStep);
  }
  const host = hostStep(record);
  if (grade === 'fatal' && host !== undefined) return [host, GUEST_STOPS, ...openPoints(record, where)];
  return [first, areaStep(record, where), host, ...openPoints(record, where)].filter(isStep);
}

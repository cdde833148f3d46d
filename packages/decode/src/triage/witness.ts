/** @module One record as a word about an error: who says it, of how many, when. */
import { RECORD_ROWS } from '../events/records.ts';
import type { FieldValue, Reporter } from '../events/row.ts';
import { pcieDeviceOf } from '../registers/pci-name.ts';
import { pfnOf } from '../registers/address.ts';
import { bogusNote } from '../mca/not-hardware.ts';
import { MCG_STATUS } from '../mca/registers.ts';
import type { DecodedPlace } from '../decode/place.ts';
import type { DecodedRecord, DecodedSeverity } from '../decode/record.ts';
import { LazyRecord } from '../decode/lazy.ts';
import { timeOfBoot, timesOfStamp } from '../decode/time.ts';
import type { DecodedTime } from '../decode/time.ts';

/** From the worst down. */
export const SEVERITIES: readonly DecodedSeverity[] = [
  'fatal',
  'uncorrected',
  'uncorrected-recoverable',
  'deferred',
  'unknown',
  'corrected',
  'none',
  'info',
];
const RANK = new Map(SEVERITIES.map((severity, i) => [severity, i]));

/** The smaller, the worse. */
export function rankOf(severity: DecodedSeverity): number {
  return RANK.get(severity) ?? SEVERITIES.length;
}

/**
 * How a record is known to be of the same error as those before it: it names the same page at the same time, or near them where
 * they have no clock in common; `report`: its writer says so by where or how it wrote it; `copy`: it is the same record again;
 * `bank and time`: another CPU found the same in the same bank at the same time; `one stop`: a machine stops once, and all that it
 * found of that when it started again is of one error.
 */
export type JoinedBy = 'address and time' | 'address and order' | 'report' | 'copy' | 'bank and time' | 'one stop';

export interface Witness {
  reporter: Reporter;
  record: DecodedRecord;
  severity: DecodedSeverity;
  place: DecodedPlace | undefined;
  /** Errors that the record stands for. */
  count: number;
  /** The count is one of all errors of a part so far: those that have records of their own are among them. */
  isTotal: boolean;
  /** Page of 4 KiB within the memory of a CXL device. */
  devicePage: number | undefined;
  /** That page of the device at a PCI address; undefined where a record does not say which device it is. */
  deviceKey: string | undefined;
  time: DecodedTime | undefined;
  /** Seconds since the start of the kernel that printed its line, also where a date stands before them. */
  boot: number | undefined;
  address: bigint | undefined;
  /** 4 KiB page frame in the system that reports, or in the guest that QEMU tells. */
  pfn: number | undefined;
  /** The one that Linux makes of the address of a machine check of which the record does not say what kind it is. */
  rawPfn: number | undefined;
  /** Whose report a line says that follows it. */
  announces: Reporter | undefined;
  /** Missing of the first. */
  joinedBy?: JoinedBy;
  /** Why the machine was reset before the start in which the record was found, as a line close before it says. */
  reset?: string;
  /** Its number in the whole input. */
  order?: number;
  /** Whose log its line is of; empty for the first machine, and where no line names one. */
  machine: string;
  /** All times of its line and of itself; see {@link timesOf}. */
  times?: readonly DecodedTime[];
}

function reporterOf({ kind, class: name }: DecodedRecord): Reporter {
  if (kind === 'cper') return 'firmware';
  if (kind === 'x86-mca') return 'machine-check';
  if (kind === 'arm-sea' || kind === 'arm-serror') return 'arm';
  // An event that is not in the catalogue is what somebody wrote as JSON.
  return RECORD_ROWS.get(name)?.reporter ?? 'kernel';
}

const PCI = ['segment', 'bus', 'device', 'function'] as const;

/** Where in which CXL device: by an event of its driver, or by the section of a firmware record (CXL 3.1, 8.2.9.2.1; UEFI 2.10 N.2.14). */
function mediaOf(record: DecodedRecord): { dpa: bigint; host: string | undefined } | undefined {
  const { raw } = record;
  if (raw.kind === 'event') {
    const { dpa, host } = raw.fields;
    return typeof dpa === 'bigint' ? { dpa, host: typeof host === 'string' ? host : undefined } : undefined;
  }
  if (raw.kind !== 'cper') return undefined;
  for (const { body } of raw.sections) {
    if (!('devicePhysicalAddress' in body) || typeof body.devicePhysicalAddress !== 'bigint') continue;
    const at = body as Readonly<Record<string, number | undefined>>;
    const isKnown = PCI.every(name => typeof at[name] === 'number');
    return { dpa: body.devicePhysicalAddress, host: isKnown ? pcieDeviceOf(at) : undefined };
  }
  return undefined;
}

export function witnessOf(record: DecodedRecord): Witness {
  const { address, kind } = record;
  const { space, pfn } = address ?? {};
  const fields = fieldsOf(record);
  const media = mediaOf(record);
  const devicePage = media === undefined ? undefined : Number(pfnOf(media.dpa));
  // 0 is what stands where nobody knew an address.
  const time = record.lineTime ?? record.time;
  const isPage = pfn !== undefined && address?.value !== 0n && (space === 'physical' || space === 'guest-physical');
  return {
    reporter: reporterOf(record),
    record,
    severity: record.severity,
    place: record.place,
    count: record.count ?? 1,
    isTotal: fields['total'] !== undefined,
    devicePage,
    deviceKey: media?.host === undefined ? undefined : `${media.host} ${devicePage ?? ''}`,
    time,
    boot: time?.clock === 'boot' ? time.seconds : bootBehind(record, time),
    machine: '',
    address: address?.value,
    pfn: isPage ? Number(pfn) : undefined,
    announces: kind === 'event' ? RECORD_ROWS.get(record.class)?.announces : undefined,
    rawPfn: kind === 'x86-mca' && address?.space === 'unknown' ? Number(pfnOf(address.value)) : undefined,
  };
}

/** The stamp of the kernel behind the date of a line. */
function bootBehind(record: DecodedRecord, time: DecodedTime | undefined): number | undefined {
  const stamp = stampOf(record);
  return typeof stamp === 'string' && time?.from === 'line' ? timeOfBoot(stamp)?.seconds : undefined;
}

/** What the first line of a record begins with, or the seconds since boot there. */
export const stampOf = (record: DecodedRecord): string | number | undefined =>
  record instanceof LazyRecord ? record.stamp : undefined;

export const isCorrected = (severity: DecodedSeverity): boolean => severity === 'corrected' || severity === 'none';

const NO_FIELDS: Readonly<Record<string, FieldValue>> = {};

/** The fields of an event; none of another record. */
export function fieldsOf({ raw }: DecodedRecord): Readonly<Record<string, FieldValue>> {
  return raw.kind === 'event' ? raw.fields : NO_FIELDS;
}

/** Linux numbers banks so that it makes of a report of the firmware; hardware has fewer. */
const FIRMWARE_BANK = 128;
export const isFirmwareBank = ({ bank }: DecodedRecord): boolean => bank !== undefined && bank >= FIRMWARE_BANK;

/** Whether a machine check came as an exception: SDM vol. 3B, IA32_MCG_STATUS MSR, MCIP; undefined where nobody says. */
export function cameAsException({ raw }: DecodedRecord): boolean | undefined {
  if (raw.kind !== 'x86-mca' || raw.mcgStatus === undefined) return undefined;
  return MCG_STATUS.read(raw.mcgStatus).MCIP;
}

/** All that is said of when it was: the date before its line, the kernel's stamp behind that, the time in the record. */
function timesOf(witness: Witness): readonly DecodedTime[] {
  if (witness.times !== undefined) return witness.times;
  const { record } = witness;
  const stamp = stampOf(record);
  const line = stamp === undefined ? [] : timesOfStamp(stamp);
  const { time } = record;
  const own = time === undefined || line.some(t => t.clock === time.clock) ? [] : [time];
  return (witness.times = [...line, ...own]);
}

/** Whether two records can be of one machine, and are of one input. */
export const isOneLog = (a: Witness, b: Witness): boolean =>
  a.machine === b.machine && a.record.source.input === b.record.source.input;

/** Seconds between two records on a clock that both have; undefined where they have none in common. */
export function secondsApart(a: Witness, b: Witness): number | undefined {
  if (a.time !== undefined && a.time.clock === b.time?.clock) return Math.abs(a.time.seconds - b.time.seconds);
  const [x, y] = [a.record.time, b.record.time];
  if (x !== undefined && x.clock === y?.clock) return Math.abs(x.seconds - y.seconds);
  if (a.time === undefined || b.time === undefined) return undefined;
  // A date before the stamp of one, and no date before that of the other.
  for (const time of timesOf(a)) {
    const there = timesOf(b).find(other => other.clock === time.clock);
    if (there !== undefined) return Math.abs(time.seconds - there.seconds);
  }
  return undefined;
}

/** Whether a record that looks bad is known to be of no failure: kernels drop such. Asked of every bad record: all of its lint would cost much. */
export function isNoFailure({ severity, reporter, record: { raw } }: Witness): boolean {
  if (reporter !== 'machine-check' || rankOf(severity) >= rankOf('corrected')) return false;
  return raw.kind === 'x86-mca' && bogusNote(raw) !== undefined;
}

/** Lints that say that a record is one of a virtual machine: its cause is with the host. */
const OF_GUEST = /^L_MCA_(?:QEMU_|HYPERV_MADE$|VIRTUAL_CPU$)/;

/** Whether a bad record is one that a hypervisor made or shows. */
export function isOfGuest({ severity, reporter, record }: Witness): boolean {
  if (reporter !== 'machine-check' || rankOf(severity) >= rankOf('corrected')) return false;
  return record.lint.some(finding => OF_GUEST.test(finding.code));
}

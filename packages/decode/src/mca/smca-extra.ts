/** @module What scalable MCA keeps beside MCA_STATUS: the deferred error, and the text of the replaceable unit. */
import { byteOf } from '../registers/field.ts';
import { safeText } from '../common/screen.ts';
import { MCA_CONFIG, MCA_DESTAT } from './amd-registers.ts';
import type { McaDeciding } from './deciding.ts';
import type { X86McaRecord } from './record.ts';
import { MCI_STATUS_AMD } from './registers.ts';

/** Remarks about records made of these registers, for `--explain`. */
export const MCA_NOTES = {
  W_MCA_DESTAT:
    'The record is the deferred error that MCA_DESTAT and MCA_DEADDR kept, and its status is that of MCA_DESTAT: MCA_STATUS holds none, or a later error that took its place.',
} as const;

/**
 * The deferred error in MCA_DESTAT and MCA_DEADDR as a record of its own, or undefined when there is none. A later error
 * may have taken MCA_STATUS; MCA_SYND stays only when MCA_DESTAT says that it belongs to the deferred error (PPR).
 */
export function deferredRecord(record: X86McaRecord): X86McaRecord | undefined {
  const { destat, deaddr, synd } = record;
  if (destat === undefined || record.vendor === 'intel') return undefined;
  const d = MCA_DESTAT.read(destat);
  if (!d.VAL || !d.DEFERRED) return undefined;
  const { destat: _destat, deaddr: _deaddr, addr: _addr, misc: _misc, synd: _synd, ...rest } = record;
  return {
    ...rest,
    vendor: 'amd',
    status: destat,
    ...(d.ADDRV && deaddr !== undefined ? { addr: deaddr } : {}),
    ...(d.SYNDV && synd !== undefined ? { synd } : {}),
  };
}

/**
 * The errors that the registers of a bank hold: the one of MCA_STATUS, if there is one, and the deferred one of
 * MCA_DESTAT unless MCA_STATUS has the same (MCA_CONFIG.LOG_DFR_IN_STAT). A bank without an error is one empty record.
 */
export function errorsOf(record: X86McaRecord): { record: X86McaRecord; fromDestat: boolean }[] {
  const deferred = deferredRecord(record);
  const own = { record, fromDestat: false };
  if (deferred === undefined) return [own];
  const kept = { record: deferred, fromDestat: true };
  const status = MCI_STATUS_AMD.read(record.status);
  if (!status.VAL) return [kept];
  const same =
    status.DEFERRED &&
    ((record.status ^ deferred.status) & CODES) === 0n &&
    (deferred.addr === undefined || deferred.addr === record.addr);
  return same ? [own] : [own, kept];
}

/** Extended and plain error code. */
const CODES = MCI_STATUS_AMD.masks.XEC | MCI_STATUS_AMD.masks.ERRORCODE;

function bytesOf(value: bigint): number[] {
  return Array.from({ length: 8 }, (_, i) => byteOf(value, i));
}

/**
 * The text of the replaceable unit (DIMM) in MCA_SYND1 and MCA_SYND2, which MCA_CONFIG.FRU_TEXT announces; undefined
 * without that bit, the registers, or any text. At most 16 characters, safe for a terminal.
 */
export function fruText(record: Pick<McaDeciding, 'config' | 'synd1' | 'synd2'>): string | undefined {
  const { config, synd1, synd2 } = record;
  if (config === undefined || synd1 === undefined || !MCA_CONFIG.read(config).FRU_TEXT) return undefined;
  const bytes = [...bytesOf(synd1), ...bytesOf(synd2 ?? 0n)];
  const end = bytes.indexOf(0);
  const text = String.fromCharCode(...(end < 0 ? bytes : bytes.slice(0, end))).trim();
  // A tab is safe for a terminal and breaks a table.
  return text === '' ? undefined : safeText(text.replaceAll('\t', ' '));
}

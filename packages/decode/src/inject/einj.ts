/**
 * @module The way of EINJ: the guest's kernel asks its firmware for an error. What the firmware of the lab makes of it is a
 * record. Sources: ACPI 6.5 18.6; Linux Documentation/firmware-guide/acpi/apei/einj.rst.
 */
import { EINJ_ERROR_TYPES, errorTypeWords } from '../acpi/einj.ts';
import { hex64 } from '../common/hex.ts';
import type { CperSeverity } from '../cper/record.ts';
import { ghesBlock, ghesInjection, recordOf } from './ghes.ts';
import type { EinjError, EinjInjection } from './injection.ts';
import { u64Of } from './way.ts';
import type { WayOf } from './way.ts';

/** The folder of the kernel's module einj. */
export const EINJ_FOLDER = '/sys/kernel/debug/apei/einj';

/** What can be asked for, and how grave the record is that comes of it. */
const ERRORS = {
  'memory-ce': { type: EINJ_ERROR_TYPES.masks.MEMORY_CE, severity: 'corrected' },
  'memory-ue': { type: EINJ_ERROR_TYPES.masks.MEMORY_UE, severity: 'recoverable' },
  'memory-fatal': { type: EINJ_ERROR_TYPES.masks.MEMORY_FATAL, severity: 'fatal' },
} as const satisfies Record<EinjError, { type: bigint; severity: CperSeverity }>;

/** The names of errors that can be asked for. */
export const EINJ_ERRORS = Object.keys(ERRORS) as [EinjError, ...EinjError[]];

/** The error types that the lab's firmware has, as GET_ERROR_TYPE says them. */
export const EINJ_INJECTED_TYPES: bigint = Object.values(ERRORS).reduce((all, { type }) => all | type, 0n);

/** The name of an error type; undefined for one that the lab's firmware does not have. */
export function einjErrorOf(errorType: number): EinjError | undefined {
  return EINJ_ERRORS.find(name => ERRORS[name].type === BigInt(errorType));
}

/** Single-bit ECC where it was corrected, else multi-bit ECC. UEFI 2.10 N.2.5. */
const errorTypeOf = (error: EinjError): number => (error === 'memory-ce' ? 2 : 3);

/** The generic error status block that the lab's firmware makes of a request. */
export function einjBlock(error: EinjError, addr: bigint): Uint8Array {
  return ghesBlock(ghesInjection(ERRORS[error].severity, addr, errorTypeOf(error)));
}

/** The mask of an address that names a page. */
const PAGE_MASK = 0xffff_ffff_ffff_f000n;
/** The memory address and its mask are named. */
const FLAG_MEMORY = 2;

/**
 * What is written into the files of {@link EINJ_FOLDER}, in this order; the last one does it. The error is there without
 * anybody reading the address (`notrigger`).
 */
export function einjWrites({ error, addr }: EinjInjection): readonly (readonly [file: string, value: string])[] {
  return [
    ['error_type', `0x${ERRORS[error].type.toString(16)}`],
    ['flags', `0x${FLAG_MEMORY.toString(16)}`],
    ['param1', `0x${addr.toString(16)}`],
    ['param2', `0x${PAGE_MASK.toString(16)}`],
    ['notrigger', '1'],
    ['error_inject', '1'],
  ];
}

export const EINJ: WayOf<EinjInjection> = {
  command: injection =>
    `cd ${EINJ_FOLDER} && ${einjWrites(injection)
      .map(([file, value]) => `echo ${value} > ${file}`)
      .join(' && ')}`,
  record: ({ error, addr }) => recordOf(ghesInjection(ERRORS[error].severity, addr, errorTypeOf(error))),
  words: ({ error, addr }) =>
    `a ${errorTypeWords(Number(ERRORS[error].type))} error for ${hex64(addr)}, which the guest's own kernel asks its firmware for (EINJ)`,
  fields: ({ way, error, addr }) => ({ kind: way, record: error, addr }),
  read: fields => {
    const error = EINJ_ERRORS.find(name => name === fields['record']);
    const addr = u64Of(fields['addr']);
    return fields['kind'] === 'einj' && error !== undefined && addr !== undefined
      ? { way: 'einj', error, addr }
      : undefined;
  },
};

/**
 * @module Records that only software makes, by their exact values. Sources: those of vmm-made.ts; Linux mce/apei.c; xen-mceinj; mce-inject's status keywords.
 */
import { isFirmwareBank } from './component.ts';
import type { LintCodeId } from './lint-codes.ts';
import { errorCodeOf } from './mcacod.ts';
import { MCI_STATUS_INTEL, holdsError } from './registers.ts';
import type { McaDeciding } from './deciding.ts';
import type { McaVendor } from './record.ts';
import { QEMU_BROADCAST_FILLER, QEMU_SIGBUS, isQemuMisc, madeStatus } from './vmm-made.ts';

const { VAL, ADDRV, MISCV, AR } = MCI_STATUS_INTEL.masks;

interface Shape {
  code: LintCodeId;
  status: bigint;
  /** A vendor that contradicts it excludes the shape; an unknown vendor does not. */
  vendor?: McaVendor;
  bank?: number;
  /** MCi_MISC is QEMU's; compared when the record has one. */
  qemuMisc?: true;
  note?: string;
}

const qemuMade = (
  code: LintCodeId,
  { status, vendor, bank }: (typeof QEMU_SIGBUS)[keyof typeof QEMU_SIGBUS],
): Shape => ({
  code,
  status,
  vendor,
  bank,
  qemuMisc: true,
});

const SHAPES: readonly Shape[] = [
  qemuMade('L_MCA_QEMU_SRAR', QEMU_SIGBUS['intel-required']),
  qemuMade('L_MCA_QEMU_SRAO', QEMU_SIGBUS['intel-optional']),
  qemuMade('L_MCA_QEMU_AMD_AR', QEMU_SIGBUS['amd-required']),
  {
    code: 'L_MCA_QEMU_AMD_AR',
    status: 0xbc00_0000_0000_0000n,
    vendor: 'amd',
    bank: 9,
    qemuMisc: true,
    note: 'without the poison bit: a patch of 2023 that hosts ran before QEMU 9.1',
  },
  qemuMade('L_MCA_QEMU_AMD_AO', QEMU_SIGBUS['amd-optional']),
  { code: 'L_MCA_QEMU_BROADCAST', status: QEMU_BROADCAST_FILLER.status, bank: QEMU_BROADCAST_FILLER.bank },
  { code: 'L_MCA_HYPERV_MADE', status: 0xb200000080060001n, vendor: 'intel', bank: 0 },
  { code: 'L_MCA_HYPERV_MADE', status: 0xb2000000c0060001n, vendor: 'intel', bank: 0 },
  {
    code: 'L_MCA_XEN_MCEINJ',
    status: 0xbd2000008000017an,
    note: 'type 0, labelled memory scrubbing, is a last level cache write-back',
  },
  { code: 'L_MCA_XEN_MCEINJ', status: 0xbd000000004000cfn, note: 'type 1, labelled LLC, is memory scrubbing' },
  { code: 'L_MCA_XEN_MCEINJ', status: 0xbc20000080000136n, note: 'type 2, UCNA of the last level cache' },
  // On AMD's it is what any parity error of the instruction cache leaves.
  {
    code: 'L_MCA_XEN_MCEINJ',
    status: 0x9400000000000151n,
    vendor: 'intel',
    bank: 1,
    note: 'type 3, instruction cache parity',
  },
  { code: 'L_MCA_XEN_MCEINJ', status: 0xbf2000008000017an, note: 'type 4, fatal last level cache write-back' },
];

/** Status bits below the flags. */
const BELOW_FLAGS = AR - 1n;
/** Status and bank of what Linux makes from a firmware report. */
const GHES_CODE = 0x9f;

/** What mce-inject writes for its status keywords. */
const MCE_INJECT: ReadonlyMap<bigint, string> = new Map([
  [0x9000000000000000n, 'CORRECTED'],
  [0xb000000000000000n, 'UNCORRECTED'],
  [0xb200000000000000n, 'FATAL'],
]);

/** A shape that a record has. */
interface SoftwareShape {
  code: LintCodeId;
  /** Which of several. */
  note?: string;
  /** Members by which it is told. */
  places: readonly (keyof McaDeciding)[];
}

/** The shapes a record has. */
export function softwareShapes(record: McaDeciding): SoftwareShape[] {
  const status = madeStatus(record.status);
  if (!holdsError(status)) return [];
  if (isFirmwareBank(record.bank)) {
    const known = errorCodeOf(status) === GHES_CODE;
    const code = 'L_MCA_GHES_MADE';
    return [{ code, ...(known ? {} : { note: 'with an unusual error code' }), places: ['bank'] }];
  }
  const exact = SHAPES.filter(
    shape =>
      shape.status === status &&
      (shape.vendor === undefined || record.vendor === undefined || shape.vendor === record.vendor) &&
      (shape.bank === undefined || shape.bank === record.bank) &&
      (shape.qemuMisc === undefined || record.misc === undefined || isQemuMisc(record.misc)),
  );
  if (exact.length > 0) {
    return exact.map(({ code, note, bank, qemuMisc }) => ({
      code,
      ...(note === undefined ? {} : { note }),
      places: [
        'status',
        ...(bank === undefined ? [] : (['bank'] as const)),
        ...(qemuMisc === undefined || record.misc === undefined ? [] : (['misc'] as const)),
      ],
    }));
  }
  const keyword = MCE_INJECT.get(status);
  if (keyword !== undefined) return [{ code: 'L_MCA_MCE_INJECT', note: keyword, places: ['status'] }];
  const bare = (status & BELOW_FLAGS) === 0n && (status & (VAL | ADDRV | MISCV)) === VAL;
  return bare ? [{ code: 'L_MCA_BARE_STATUS', places: ['status'] }] : [];
}

/** @module Records with a name, for injection through QEMU's `mce` command and for documentation. */
import type { McaVendor } from './record.ts';
import { MISC_PAGE, QEMU_SIGBUS } from './vmm-made.ts';

export interface NamedMca {
  name: string;
  /** The same name in full words. */
  alias?: string;
  /** Vendor whose guests receive it in this shape. */
  vendor: McaVendor;
  status: bigint;
  mcgStatus: bigint;
  misc: bigint;
  /** Bank used when the caller names none. */
  bank: number;
  /** True when the record is meaningless without a physical address. */
  needsAddress: boolean;
  /** One or two plain sentences. */
  explanation: string;
  source: string;
}

const QEMU = 'QEMU target/i386/kvm/kvm.c, kvm_mce_inject()';
const SDM = 'SDM vol. 3B, UCR Error Classification and Interpreting the MCA Error Codes';

export const NAMED_MCA: readonly NamedMca[] = [
  {
    name: 'ce',
    vendor: 'intel',
    status: 0x9c000000000000c0n,
    mcgStatus: 0n,
    misc: MISC_PAGE,
    bank: 9,
    needsAddress: true,
    explanation: 'A corrected error found by the memory scrubber. The guest finds it at its next poll and logs it.',
    source: SDM,
  },
  {
    name: 'srao',
    ...QEMU_SIGBUS['intel-optional'],
    needsAddress: true,
    explanation:
      'Bad memory found by the scrubber before anybody used it (action optional), the shape QEMU gives a SIGBUS BUS_MCEERR_AO. Linux takes the page away and tells early-kill processes. On more than one CPU it wants broadcast (or MCG_STATUS.LMCE).',
    source: QEMU,
  },
  {
    name: 'srar-data',
    alias: 'srar-data-load',
    ...QEMU_SIGBUS['intel-required'],
    needsAddress: true,
    explanation:
      'A data load consumed bad memory (action required), the shape QEMU gives a SIGBUS BUS_MCEERR_AR. Linux kills the process that was running on that CPU, and panics when the CPU was in the kernel or idle.',
    source: QEMU,
  },
  {
    name: 'srar-instr',
    alias: 'srar-instruction-fetch',
    vendor: 'intel',
    status: 0xbd80000000000150n,
    mcgStatus: 0x7n,
    misc: MISC_PAGE,
    bank: 9,
    needsAddress: true,
    explanation:
      'An instruction fetch consumed bad memory (action required). Linux kills the process that was running on that CPU, and panics when the CPU was in the kernel or idle.',
    source: SDM,
  },
  {
    name: 'ucna',
    vendor: 'intel',
    status: 0xbc00000080000136n,
    mcgStatus: 0xdn,
    misc: 0x86n,
    bank: 9,
    needsAddress: true,
    explanation:
      'Bad data found in a cache and consumed by nobody (no action required). QEMU still raises #MC because UC is set; Linux skips the bank there, and its poller logs it later.',
    source: SDM,
  },
  {
    name: 'uc-fatal',
    vendor: 'intel',
    status: 0xb200000000000000n,
    mcgStatus: 0x4n,
    misc: 0n,
    bank: 1,
    needsAddress: false,
    explanation: 'Uncorrected with a corrupt processor context (PCC). Linux panics; Xen reboots the machine.',
    source: `${SDM}; the Xen injection note of December 2020`,
  },
  {
    name: 'xen-note-ce',
    vendor: 'intel',
    status: 0x8000000000000000n,
    mcgStatus: 0n,
    misc: 0n,
    bank: 1,
    needsAddress: false,
    explanation:
      'The smallest valid record: VAL and nothing else, read as a corrected error without a code. Under Xen the mce VIRQ of dom0 counts up.',
    source: 'the Xen injection note of December 2020',
  },
  {
    name: 'amd-deferred',
    ...QEMU_SIGBUS['amd-optional'],
    needsAddress: true,
    explanation:
      'What QEMU gives an AMD guest for a SIGBUS BUS_MCEERR_AO: a deferred error, with POISON so that the address counts as usable (real hardware never sets both). No exception; the guest finds it at its next poll. Linux 6.19.0 to 6.19.9 under KVM panics on it.',
    source: QEMU,
  },
  {
    name: 'amd-uc',
    ...QEMU_SIGBUS['amd-required'],
    needsAddress: true,
    explanation:
      'What QEMU gives an AMD guest for a SIGBUS BUS_MCEERR_AR: poison consumed, delivered as #MC to one CPU. Linux panics when the guest CPU lacks the SUCCOR feature, which every emulated one does.',
    source: QEMU,
  },
];

/**
 * The record of a name or an alias, or undefined.
 *
 * @example
 * namedMca('srao').status // 0xbd000000000000c0n
 */
export function namedMca(name: string): NamedMca | undefined {
  return NAMED_MCA.find(n => n.name === name || n.alias === name);
}

/**
 * @module How Linux grades a machine check on Intel and every other CPU that is not AMD's: an ordered table, the first
 * row that matches decides. Source: Linux arch/x86/kernel/cpu/mce/severity.c, behaviour of 5.19 to 7.2; the classes
 * are those of the SDM vol. 3B, UCR Error Classification.
 */
import { cpuModel } from '../mca/cpu.ts';
import { MCG_STATUS, MCI_STATUS_INTEL } from '../mca/registers.ts';
import { hasBits } from '../registers/asked.ts';
import type { Bits } from '../registers/asked.ts';
import type { McaCase } from './case.ts';
import type { Facts } from './facts.ts';
import { gradedMcgStatus } from './linux-quirks.ts';
import type { Evidence, Rule } from './rule.ts';
import { cpuContext } from './severity.ts';
import type { CpuContext, Grade, Severity } from './severity.ts';
import { versionIn } from './version.ts';

type Bit = 0 | 1;
type McgBit = 'RIPV' | 'EIPV' | 'MCIP' | 'SEAM_NR';
type StatusBit = 'VAL' | 'OVER' | 'UC' | 'EN' | 'MISCV' | 'ADDRV' | 'PCC' | 'S' | 'AR';

interface Row {
  key: string;
  grade: Grade;
  message: string;
  text: string;
  status?: Partial<Record<StatusBit, Bit>>;
  /** Low 32 bits of MCi_STATUS under a mask. */
  code?: { mask: bigint; value: bigint };
  mcg?: Partial<Record<McgBit, Bit>>;
  /** Only in the exception handler, not for a polled bank. */
  exception?: true;
  ser?: boolean;
  context?: CpuContext;
  /** Only with CONFIG_MEMORY_FAILURE. */
  memoryFailure?: true;
  /** Only on this CPU and these banks. */
  cpu?: { family: number; model: number; minStepping: number; banks: readonly [number, number] };
  since?: string;
  evidence?: Evidence;
}

/** The correction report filter bit 12 is not part of the comparison. */
const MCACOD = 0xefffn;
const DATA = { mask: MCACOD, value: 0x0134n };
const INSTRUCTION = { mask: MCACOD, value: 0x0150n };
/** Uncorrected, signalled, action required, nothing lost: a consumed error. */
const SRAR: Row['status'] = { OVER: 0, UC: 1, S: 1, AR: 1 };
const SRAR_WITH_ADDRESS: Row['status'] = { ...SRAR, ADDRV: 1, MISCV: 1 };

const ROWS: readonly Row[] = [
  { key: 'invalid', grade: 'NO', message: 'Invalid', text: 'A bank without VAL holds nothing.', status: { VAL: 0 } },
  {
    key: 'not-enabled',
    grade: 'NO',
    message: 'Not enabled',
    text: 'An error whose reporting was off (EN=0) did not cause this exception.',
    status: { EN: 0 },
    exception: true,
    evidence: 'observed',
  },
  {
    key: 'pcc',
    grade: 'PANIC',
    message: 'Processor context corrupt',
    text: 'With PCC nothing of the interrupted context can be trusted.',
    status: { PCC: 1 },
    evidence: 'observed',
  },
  {
    key: 'no-mcip',
    grade: 'PANIC',
    message: 'MCIP not set in MCA handler',
    text: 'An exception without MCG_STATUS.MCIP cannot be a machine check that hardware delivered.',
    mcg: { MCIP: 0 },
    exception: true,
    evidence: 'observed',
  },
  {
    key: 'no-ip',
    grade: 'PANIC',
    message: 'Neither restart nor error IP',
    text: 'Without RIPV and EIPV it is not known what was running, nor can it go on.',
    mcg: { RIPV: 0, EIPV: 0 },
    exception: true,
    evidence: 'observed',
  },
  {
    key: 'kernel-no-restart',
    grade: 'PANIC',
    message: 'In kernel and no restart IP',
    text: 'The kernel was interrupted where it cannot be restarted.',
    mcg: { RIPV: 0 },
    exception: true,
    context: 'kernel',
  },
  {
    key: 'kernel-recoverable-no-restart',
    grade: 'PANIC',
    message: 'In kernel and no restart IP',
    text: 'A recoverable copy of the kernel needs a restart address all the same.',
    mcg: { RIPV: 0 },
    exception: true,
    context: 'kernel-recoverable',
  },
  {
    key: 'corrected',
    grade: 'KEEP',
    message: 'Corrected error',
    text: 'A corrected error stays for the poll.',
    status: { UC: 0 },
    ser: false,
  },
  {
    key: 'scrub',
    grade: 'AO',
    message: 'Action optional: memory scrubbing error',
    text: 'The memory scrubber found bad data that nobody used; S and OVER do not matter.',
    status: { UC: 1, AR: 0 },
    code: { mask: 0xeff0n, value: 0x00c0n },
    ser: true,
    evidence: 'observed',
  },
  {
    key: 'writeback',
    grade: 'AO',
    message: 'Action optional: last level cache writeback error',
    text: 'The last level cache wrote back bad data that nobody used.',
    status: { UC: 1, AR: 0 },
    code: { mask: MCACOD, value: 0x017an },
    ser: true,
    evidence: 'observed',
  },
  {
    key: 'patrol-scrub',
    grade: 'AO',
    message: 'Uncorrected Patrol Scrub Error',
    text: 'Skylake-SP and Cascade Lake memory controllers report an uncorrected patrol scrub error with UC=0.',
    status: { UC: 0, ADDRV: 1, MISCV: 1 },
    code: { mask: 0xffff_eff0n, value: 0x0010_00c0n },
    ser: true,
    cpu: { family: 6, model: 0x55, minStepping: 4, banks: [13, 18] },
  },
  {
    key: 'ucna',
    grade: 'UCNA',
    message: 'Uncorrected no action required',
    text: 'Bad data that nobody consumed and that was not signalled.',
    status: { UC: 1, S: 0, AR: 0 },
    ser: true,
    evidence: 'observed',
  },
  {
    key: 'ucna-with-ar',
    grade: 'PANIC',
    message: 'Illegal combination (UCNA with AR=1)',
    text: 'Action required without a signal contradicts itself.',
    status: { OVER: 0, UC: 1, S: 0, AR: 1 },
    ser: true,
    evidence: 'observed',
  },
  {
    key: 'not-signalled',
    grade: 'KEEP',
    message: 'Non signaled machine check',
    text: 'What was not signalled stays for the poll.',
    status: { S: 0 },
    ser: true,
    evidence: 'observed',
  },
  {
    key: 'action-required-lost',
    grade: 'PANIC',
    message: 'Action required with lost events',
    text: 'Action required, and another error was overwritten.',
    status: { OVER: 1, UC: 1, S: 1, AR: 1 },
    ser: true,
    evidence: 'observed',
  },
  {
    key: 'unaffected-thread',
    grade: 'KEEP',
    message: 'Action required but unaffected thread is continuable',
    text: 'Another thread of the core consumed the data; this one can go on.',
    status: SRAR_WITH_ADDRESS,
    mcg: { RIPV: 1, EIPV: 0 },
    ser: true,
    memoryFailure: true,
    evidence: 'observed',
  },
  {
    key: 'data-in-copy',
    grade: 'AR',
    message: 'Action required: data load in error recoverable area of kernel',
    text: 'The kernel read bad data where it has a way out, as in a copy from user space.',
    status: SRAR_WITH_ADDRESS,
    code: DATA,
    ser: true,
    context: 'kernel-recoverable',
    memoryFailure: true,
  },
  {
    key: 'data-in-user',
    grade: 'AR',
    message: 'Action required: data load error in a user process',
    text: 'A process read bad data.',
    status: SRAR_WITH_ADDRESS,
    code: DATA,
    ser: true,
    context: 'user',
    memoryFailure: true,
    evidence: 'observed',
  },
  {
    key: 'instruction-in-user',
    grade: 'AR',
    message: 'Action required: instruction fetch error in a user process',
    text: 'A process fetched bad instructions.',
    status: SRAR_WITH_ADDRESS,
    code: INSTRUCTION,
    ser: true,
    context: 'user',
    memoryFailure: true,
    evidence: 'observed',
  },
  {
    key: 'data-in-seam',
    grade: 'AR',
    message: 'Data load error in SEAM non-root mode',
    text: 'A trust domain read bad data; its host can go on.',
    status: SRAR_WITH_ADDRESS,
    code: DATA,
    mcg: { SEAM_NR: 1 },
    ser: true,
    context: 'kernel',
    memoryFailure: true,
    since: '6.10',
  },
  {
    key: 'instruction-in-seam',
    grade: 'AR',
    message: 'Instruction fetch error in SEAM non-root mode',
    text: 'A trust domain fetched bad instructions; its host can go on.',
    status: SRAR_WITH_ADDRESS,
    code: INSTRUCTION,
    mcg: { SEAM_NR: 1 },
    ser: true,
    context: 'kernel',
    memoryFailure: true,
    since: '6.10',
  },
  {
    key: 'data-in-kernel',
    grade: 'PANIC',
    message: 'Data load in unrecoverable area of kernel',
    text: 'The kernel, or the idle loop, read bad data and has no way out.',
    status: SRAR_WITH_ADDRESS,
    code: DATA,
    ser: true,
    context: 'kernel',
    memoryFailure: true,
    evidence: 'observed',
  },
  {
    key: 'instruction-in-kernel',
    grade: 'PANIC',
    message: 'Instruction fetch error in kernel',
    text: 'The kernel fetched bad instructions.',
    status: SRAR_WITH_ADDRESS,
    code: INSTRUCTION,
    ser: true,
    context: 'kernel',
    memoryFailure: true,
  },
  {
    key: 'action-required-unknown',
    grade: 'PANIC',
    message: 'Action required: unknown MCACOD',
    text: 'Action required for an error whose code, or whose address, Linux cannot act on.',
    status: SRAR,
    ser: true,
    evidence: 'observed',
  },
  {
    key: 'action-optional-unknown',
    grade: 'SOME',
    message: 'Action optional: unknown MCACOD',
    text: 'Action optional for an error whose code Linux does not know: it is logged.',
    status: { OVER: 0, UC: 1, S: 1, AR: 0 },
    ser: true,
    evidence: 'observed',
  },
  {
    key: 'action-optional-lost',
    grade: 'SOME',
    message: 'Action optional with lost events',
    text: 'Action optional, and another error was overwritten: it is logged.',
    status: { OVER: 1, UC: 1, S: 1, AR: 0 },
    ser: true,
    evidence: 'observed',
  },
  {
    key: 'overflowed',
    grade: 'PANIC',
    message: 'Overflowed uncorrected',
    text: 'Uncorrected, and another error was overwritten.',
    status: { OVER: 1, UC: 1 },
  },
  {
    key: 'uncorrected-in-kernel',
    grade: 'PANIC',
    message: 'Uncorrected in kernel',
    text: 'Uncorrected while the kernel was running.',
    status: { UC: 1 },
    context: 'kernel',
    since: '6.2',
    evidence: 'observed',
  },
  { key: 'uncorrected', grade: 'UC', message: 'Uncorrected', text: 'Uncorrected without a class.', status: { UC: 1 } },
  { key: 'no-match', grade: 'SOME', message: 'No match', text: 'No other row applies: it is logged.' },
];

const SOURCE = 'Linux arch/x86/kernel/cpu/mce/severity.c, Intel table; SDM vol. 3B, UCR Error Classification';

/** One rule per row, in the order of the table. */
export const INTEL_SEVERITY_RULES: readonly Rule[] = ROWS.map(row => ({
  id: `linux.intel.${row.key}`,
  text: row.text,
  source: SOURCE,
  evidence: row.evidence ?? 'read',
}));

/** Before 6.2 an uncorrected grade in the kernel became a panic after the match, with the message of its row. */
export const PROMOTED: Rule = {
  id: 'linux.intel.promoted-in-kernel',
  text: 'Up to 6.1 whatever is UC or worse while the kernel runs becomes a panic, with the text of the row that matched.',
  source: SOURCE,
  evidence: 'read',
};

/** Bits of a register that a row looks at, and what they have to be. */
interface Wanted {
  mask: bigint;
  value: bigint;
}

function wantedOf<N extends string>(masks: Readonly<Record<N, bigint>>, bits: Partial<Record<N, Bit>> = {}): Wanted {
  const names = Object.keys(bits) as N[];
  const join = (some: readonly N[]): bigint => some.reduce((all, name) => all | masks[name], 0n);
  return { mask: join(names), value: join(names.filter(name => bits[name] === 1)) };
}

/** Of each row, what it wants of MCi_STATUS and of MCG_STATUS. */
const WANTED = ROWS.map(row => ({
  status: wantedOf<StatusBit>(MCI_STATUS_INTEL.masks, row.status),
  mcg: row.mcg === undefined ? undefined : wantedOf<McgBit>(MCG_STATUS.masks, row.mcg),
}));

const matches = (value: Bits, wanted: Wanted): boolean => hasBits(value, wanted.mask, wanted.value);

/** CPUID leaf 1 EAX of the record against a row's CPU. A record that does not name its CPU does not match. */
function cpuMatches(record: McaCase, cpu: Row['cpu']): boolean {
  if (cpu === undefined) return true;
  if (record.cpuid === undefined) return false;
  const { family, model, stepping } = cpuModel(record.cpuid);
  return (
    family === cpu.family &&
    model === cpu.model &&
    stepping >= cpu.minStepping &&
    record.bank >= cpu.banks[0] &&
    record.bank <= cpu.banks[1]
  );
}

/** Grades `record` as Linux does; the last row always matches. */
export function intelSeverity(record: McaCase, facts: Facts, exception: boolean): Severity {
  // Facts are asked only where a row needs them, so that no assumption is reported that did not count.
  const index = ROWS.findIndex((row, i) => {
    const wanted = WANTED[i];
    if (row.exception && !exception) return false;
    if (wanted === undefined || !matches(record.status, wanted.status)) return false;
    // Of the status only what matters on this CPU is looked at.
    if (!cpuMatches(record, row.cpu)) return false;
    if (row.code !== undefined && !matches(record.status, row.code)) return false;
    if (row.ser !== undefined && facts.get('ser') !== row.ser) return false;
    if (row.memoryFailure && !facts.get('memoryFailure')) return false;
    if (row.since !== undefined && !versionIn(facts.get('version'), [{ from: row.since }])) return false;
    if (wanted.mcg !== undefined && !matches(gradedMcgStatus(facts), wanted.mcg)) return false;
    return row.context === undefined || cpuContext(facts, exception) === row.context;
  });
  const row = ROWS[index] ?? (ROWS.at(-1) as Row);
  const rule = INTEL_SEVERITY_RULES[index] ?? (INTEL_SEVERITY_RULES.at(-1) as Rule);
  if (
    (row.grade === 'UC' || row.grade === 'AR') &&
    cpuContext(facts, exception) === 'kernel' &&
    !versionIn(facts.get('version'), [{ from: '6.2' }])
  ) {
    return { grade: 'PANIC', message: row.message, rule: PROMOTED };
  }
  return { grade: row.grade, message: row.message, rule };
}

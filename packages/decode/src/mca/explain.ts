/** @module A machine check in a few plain sentences. */
import { hex64 } from '../common/hex.ts';
import { classify, gradedClass } from './classify.ts';
import type { McaClass } from './classify.ts';
import { codeVendorOf, componentOf } from './component.ts';
import type { Component } from './component.ts';
import type { McaDeciding } from './deciding.ts';
import { isDowngradedScrub } from './downgraded.ts';
import { textOf, wordsOf } from './error-words.ts';
import { isBroadcastFiller } from './vmm-made.ts';
import { likelySentence, likelyVendor } from './likely-vendor.ts';
import { decodeMcacod, errorCodeOf } from './mcacod.ts';
import { concernsData } from './page.ts';
import type { PageRef } from './page.ts';
import type { X86McaRecord } from './record.ts';
import { MCG_CAP, MCG_STATUS, MCI_STATUS_AMD, MCI_STATUS_INTEL } from './registers.ts';

const LEAD: Readonly<Record<McaClass, string>> = {
  invalid: 'No error: the VAL bit is clear, so the bank holds nothing',
  CE: 'Corrected error: the hardware repaired it and no data was lost',
  Deferred: 'Deferred error (AMD): bad data was found and marked, nobody has consumed it yet',
  UCNA: 'Uncorrected, no action required (UCNA): bad data was found and nobody has consumed it',
  SRAO: 'Uncorrected, action optional (SRAO): bad memory was found, the running program did not consume it',
  SRAR: 'Uncorrected, action required (SRAR): the running program tried to consume bad data and cannot go on without recovery',
  UC: 'Uncorrected error without a recovery class',
  PCC: 'Uncorrected and fatal: the processor context is corrupt (PCC), so nothing that ran can be trusted',
  unknown: 'The vendor is not known, and Intel and AMD read these status bits differently',
};

const { ADDRV } = MCI_STATUS_INTEL.masks;

/** The class as each vendor reads the status, in a few words. */
export const CLASS_WORDS: Readonly<Record<McaClass, string>> = {
  invalid: 'no error (VAL is clear)',
  CE: 'corrected',
  Deferred: 'deferred: bad data marked, not consumed',
  UCNA: 'uncorrected, no action required (UCNA)',
  SRAO: 'uncorrected, action optional (SRAO)',
  SRAR: 'uncorrected, action required (SRAR)',
  UC: 'uncorrected',
  PCC: 'uncorrected and fatal, processor context corrupt (PCC)',
  unknown: 'class depends on the CPU vendor',
};

/** How Intel and AMD read a status of which they read the class differently. */
export function readings(record: McaDeciding): { intel: McaClass; amd: McaClass } {
  return { intel: classify({ ...record, vendor: 'intel' }), amd: classify({ ...record, vendor: 'amd' }) };
}

/** AMD calls consumed poison UC: the bit that tells it apart is worth a word. */
function amdReading(record: McaDeciding, cls: McaClass): string {
  const poison = cls === 'UC' && MCI_STATUS_AMD.read(record.status).POISON;
  return poison ? 'uncorrected, poison consumed' : CLASS_WORDS[cls];
}

function lead(record: McaDeciding, cls: McaClass): string {
  if (isBroadcastFiller(record)) {
    return "QEMU's filler: a machine check sent to all CPUs (mce -b) is about one of them, the others get this, which reports no bad data and is skipped because EN is clear";
  }
  if (cls === 'unknown') {
    const { intel, amd } = readings(record);
    return `The vendor is not known. On Intel this is ${CLASS_WORDS[intel]}; on AMD ${amdReading(record, amd)}`;
  }
  if (isDowngradedScrub(record)) {
    return 'Uncorrected, reported as corrected: the patrol scrubber found bad memory that nobody consumed, and this memory controller says so in its model-specific code only (UC is clear); action optional';
  }
  const amd = MCI_STATUS_AMD.read(record.status);
  if (record.vendor === 'amd' && cls === 'UC' && amd.POISON) {
    return 'Uncorrected, poison consumed (AMD): the running program tried to use data that was marked bad before';
  }
  if (record.vendor === 'amd' && cls === 'Deferred' && amd.POISON) {
    return `${LEAD.Deferred} (DEFERRED together with POISON is what a virtual machine monitor injects; real hardware never sets both)`;
  }
  if (cls === 'UCNA' && !concernsData(record)) {
    return 'Uncorrected, no action required (UCNA): something failed, and the processor went on without a machine check';
  }
  return LEAD[cls];
}

/** Where the memory is: `page` is what its address register names. */
function address({ addr, status }: X86McaRecord, page: Pick<PageRef, 'address' | 'pfn'> | undefined): string {
  if (page !== undefined) {
    return `, physical address ${hex64(page.address)} (page frame 0x${page.pfn.toString(16)})`;
  }
  return addr !== undefined && (status & ADDRV) !== 0n
    ? `, address register ${hex64(addr)} (not known to be a system physical address)`
    : '';
}

/** The unit, and what its own code says, where that adds to the architectural code. */
function unitSentence(record: McaDeciding, c: Component): string | undefined {
  // Then the unit stands where the error code would.
  if (record.vendor === 'amd') return undefined;
  const fromRegisters = c.basis !== 'MCACOD' && c.basis !== 'error code';
  if (!fromRegisters || c.area === 'unknown') return undefined;
  const name = c.name.charAt(0).toUpperCase() + c.name.slice(1);
  return c.detail === undefined ? `${name}.` : `${name}: ${c.detail}.`;
}

/** Corrected errors: how many, and whether the cache says it has had too many (SDM vol. 3B, Enhanced Cache Error Reporting). */
function countNotes(record: McaDeciding): string[] {
  const s = MCI_STATUS_INTEL.read(record.status);
  if (record.vendor !== 'intel' || s.UC || isDowngradedScrub(record)) return [];
  const cap = record.mcgCap === undefined ? undefined : MCG_CAP.read(record.mcgCap);
  const notes: string[] = [];
  if (decodeMcacod(Number(s.MCACOD), 'intel').filtered) {
    notes.push('Reports of corrections are filtered (bit 12 of the error code): there were more than are reported.');
  }
  if (cap?.CMCI_P === true && s.CEC > 1n) notes.push(`The bank counted ${s.CEC} corrected errors.`);
  if (cap?.TES_P === true && s.TES === 2n) {
    notes.push('Threshold status yellow: the structure has had many corrected errors, plan its replacement.');
  }
  return notes;
}

/** The sentences about a record without its CPU and its address; what depends on neither is made once for many. */
export interface ExplanationFrame {
  /** Up to the bank and the CPU. */
  before: string;
  /** Between these and the address; undefined for a bank that holds nothing, and so names no address. */
  between: string | undefined;
  /** Behind the address. */
  after: string;
}

/** Of a record whose vendor is not known: which is likelier, why, and what it is then. */
function likelyReading(record: McaDeciding): string[] {
  const likely = likelyVendor(record);
  if (likely === undefined) return [];
  const { as } = likely;
  const cls = gradedClass(as);
  const words = as.vendor === 'amd' ? amdReading(as, cls) : CLASS_WORDS[cls];
  const what = textOf(as);
  return [likelySentence(likely), `Read so, it is ${words}${what === undefined ? '' : `: ${what}`}.`];
}

/** What follows the bank and the CPU. */
function whatSentence(record: McaDeciding): string {
  const code = decodeMcacod(errorCodeOf(record.status), codeVendorOf(record));
  const { unit, what, extended, byUnit } = wordsOf(record);
  const at = unit === undefined ? '' : `, ${unit}`;
  if (what === undefined) return `${at}${at === '' ? ': ' : ', '}without an error code`;
  if (!byUnit) return `${at}: ${what}, ${code.mnemonic}`;
  const hex = (n: number, digits: number): string => `0x${n.toString(16).padStart(digits, '0')}`;
  return `${at}: ${what} (extended code ${hex(extended ?? 0, 2)}, error code ${hex(errorCodeOf(record.status), 4)})`;
}

/**
 * The frame of an explanation.
 * @param where its component, for who has it already
 */
export function explanationFrame(record: McaDeciding, where = componentOf(record)): ExplanationFrame {
  const cls = gradedClass(record);
  if (cls === 'invalid') return { before: `${LEAD.invalid} (`, between: undefined, after: ').' };

  const s = MCI_STATUS_INTEL.read(record.status);
  const sentences: string[] = [];
  const unit = unitSentence(record, where);
  if (unit !== undefined) sentences.push(unit);
  sentences.push(...countNotes(record));
  if (s.OVER) sentences.push('At least one other error was lost (OVER).');
  if (s.UC && !s.EN && !isBroadcastFiller(record))
    sentences.push('EN is clear: reporting was not enabled, an exception handler skips it.');
  if (s.UC && record.mcgStatus !== undefined) {
    const g = MCG_STATUS.read(record.mcgStatus);
    if (g.MCIP && !g.RIPV) sentences.push('RIPV is clear: the interrupted program cannot be restarted.');
  }
  sentences.push(...likelyReading(record));
  return {
    before: `${lead(record, cls)}. Reported by `,
    between: whatSentence(record),
    after: ['.', ...sentences].join(' '),
  };
}

/** The explanation of a record, with its frame and its page made before. */
export function explainIn(
  { before, between, after }: ExplanationFrame,
  record: X86McaRecord,
  page: Pick<PageRef, 'address' | 'pfn'> | undefined,
): string {
  const who = `bank ${record.bank}${record.cpu === undefined ? '' : ` of CPU ${record.cpu}`}`;
  return before + who + (between === undefined ? '' : between + address(record, page)) + after;
}

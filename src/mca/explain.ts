/** @module A machine check in a few plain sentences. */
import { hex64 } from '../common/hex.ts';
import { classify } from './classify.ts';
import type { McaClass } from './classify.ts';
import { component } from './component.ts';
import { decodeMcacod } from './mcacod.ts';
import { pageOf } from './page.ts';
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
  unknown:
    'The vendor is not known, and Intel and AMD read these status bits differently; the CPU vendor (the PROCESSOR line, or CPUID) would settle it',
};

const ADDRV = 1n << 58n;

function lead(record: X86McaRecord, cls: McaClass): string {
  const amd = MCI_STATUS_AMD.decode(record.status);
  if (record.vendor === 'amd' && cls === 'UC' && amd.POISON) {
    return 'Uncorrected, poison consumed (AMD): the running program tried to use data that was marked bad before';
  }
  if (record.vendor === 'amd' && cls === 'Deferred' && amd.POISON) {
    return `${LEAD.Deferred} (DEFERRED together with POISON is what a virtual machine monitor injects; real hardware never sets both)`;
  }
  return LEAD[cls];
}

/** Where the memory is: `page` is {@link pageOf} of the record. */
function address({ addr, status }: X86McaRecord, page: Pick<PageRef, 'address' | 'pfn'> | undefined): string {
  if (page !== undefined) {
    return `, physical address ${hex64(page.address)} (page frame 0x${page.pfn.toString(16)})`;
  }
  return addr !== undefined && (status & ADDRV) !== 0n
    ? `, address register ${hex64(addr)} (not known to be a system physical address)`
    : '';
}

/** The unit, and what its own code says, where that adds to the architectural code. */
function unitSentence(record: X86McaRecord): string | undefined {
  const c = component(record);
  const fromRegisters = c.basis !== 'MCACOD' && c.basis !== 'error code';
  if (!fromRegisters || c.area === 'unknown') return undefined;
  const name = c.name.charAt(0).toUpperCase() + c.name.slice(1);
  return c.detail === undefined ? `${name}.` : `${name}: ${c.detail}.`;
}

/** Corrected errors: how many, and whether the cache says it has had too many (SDM vol. 3B, Enhanced Cache Error Reporting). */
function countNotes(record: X86McaRecord): string[] {
  const s = MCI_STATUS_INTEL.decode(record.status);
  if (record.vendor !== 'intel' || s.UC) return [];
  const cap = record.mcgCap === undefined ? undefined : MCG_CAP.decode(record.mcgCap);
  const notes: string[] = [];
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

/** The frame of {@link explain}; of the address only its presence and validity count. */
export function explanationFrame(record: X86McaRecord): ExplanationFrame {
  const cls = classify(record);
  if (cls === 'invalid') return { before: `${LEAD.invalid} (`, between: undefined, after: ').' };

  const s = MCI_STATUS_INTEL.decode(record.status);
  const code = decodeMcacod(Number(s.MCACOD), record.vendor);
  const what = code.class === 'no-error' ? 'without an error code' : `${code.text}, ${code.mnemonic}`;
  const sentences: string[] = [];
  const unit = unitSentence(record);
  if (unit !== undefined) sentences.push(unit);
  sentences.push(...countNotes(record));
  if (s.OVER) sentences.push('At least one other error was lost (OVER).');
  if (s.UC && !s.EN) sentences.push('EN is clear: reporting was not enabled, an exception handler skips it.');
  if (s.UC && record.mcgStatus !== undefined) {
    const g = MCG_STATUS.decode(record.mcgStatus);
    if (g.MCIP && !g.RIPV) sentences.push('RIPV is clear: the interrupted program cannot be restarted.');
  }
  return {
    before: `${lead(record, cls)}. Reported by `,
    between: `: ${what}`,
    after: ['.', ...sentences].join(' '),
  };
}

/** {@link explain}, with its frame and its page made before. */
export function explainIn(
  { before, between, after }: ExplanationFrame,
  record: X86McaRecord,
  page: Pick<PageRef, 'address' | 'pfn'> | undefined,
): string {
  const who = `bank ${record.bank}${record.cpu === undefined ? '' : ` of CPU ${record.cpu}`}`;
  return before + who + (between === undefined ? '' : between + address(record, page)) + after;
}

/**
 * Says what the record is, what reported it and which memory it names. A few sentences, no line breaks, made of
 * registers only (no untrusted text).
 */
export function explain(record: X86McaRecord): string {
  return explainIn(explanationFrame(record), record, pageOf(record));
}

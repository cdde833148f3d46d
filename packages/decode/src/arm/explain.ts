/** @module An abort or SError in a few plain sentences. */
import { pageOf } from '../registers/address.ts';
import { hex64 } from '../common/hex.ts';
import { armPageOf, classifyArm } from './classify.ts';
import type { ArmState, ArmVerdict } from './classify.ts';
import { ESR, ISS_DATA_ABORT, ISS_SERROR, faultCodeOf } from './esr.ts';
import { exceptionClass } from './exception-class.ts';
import { faultStatus } from './fault-status.ts';
import { armSeaAddresses } from './kvm.ts';
import type { ArmSeaRecord } from './record.ts';

const STATE: Readonly<Record<ArmState, string>> = {
  UC: 'the error is uncontainable (UC): it may have spread, the system has to stop',
  UEU: 'the error is unrecoverable (UEU): what ran on this CPU is lost',
  UEO: 'the state is restartable (UEO): nothing was corrupted, the program may go on',
  UER: 'the state is recoverable (UER): the program cannot go on without repair, the rest of the system can',
  CE: 'the error was corrected (CE)',
  unknown: 'the syndrome does not say what state the CPU is in',
};

const ACCESS: Readonly<Record<NonNullable<ArmVerdict['access']>, string>> = {
  read: 'a load',
  write: 'a store',
  instruction: 'an instruction fetch',
  maintenance: 'a cache maintenance or address translation instruction',
};

function lead(record: ArmSeaRecord, verdict: ArmVerdict): string {
  const { EC, ISS } = ESR.read(record.esr);
  const ec = Number(EC);
  const cls = exceptionClass(ec);
  const hex = `0x${ec.toString(16).padStart(2, '0')}`;
  if (cls === undefined) return `Exception class ${hex} is reserved: no CPU reports it.`;
  const level =
    cls.from === 'lower'
      ? ' from a lower exception level'
      : cls.from === 'same'
        ? ' from the same exception level'
        : '';
  if (verdict.class === 'other') return `Not a memory error: ${cls.text} (${cls.name}, class ${hex}).`;
  if (verdict.class === 'serror') {
    const s = ISS_SERROR.read(ISS);
    if (s.IDS) return 'SError, an asynchronous error, in a format only the CPU maker documents (IDS is set).';
    return s.DFSC === 0x11n
      ? 'SError: an error that arrived after the access that caused it.'
      : 'SError without a category: the CPU says only that something failed.';
  }
  const instruction = verdict.access === 'instruction';
  const code = faultCodeOf(ISS);
  const fault = faultStatus(code, instruction ? 'instruction' : 'data');
  const what = fault?.text ?? `reserved fault status 0x${code.toString(16).padStart(2, '0')}`;
  const by = verdict.access === undefined ? '' : ` by ${ACCESS[verdict.access]}`;
  const noError =
    verdict.class === 'mmu-fault' ? ' It is a matter of translation or permission, not a memory error.' : '';
  return `${what.charAt(0).toUpperCase()}${what.slice(1)}${by}${level} (${cls.name}).${noError}`;
}

/** Says what the record is, what state it leaves and which memory it names. Registers only, no untrusted text. */
export function explainArm(record: ArmSeaRecord): string {
  const verdict = classifyArm(record);
  const sentences = [lead(record, verdict)];
  const isError = verdict.class !== 'other' && verdict.class !== 'mmu-fault' && verdict.class !== 'reserved';
  if (isError) {
    const state = STATE[verdict.state];
    const doubt =
      verdict.state !== 'unknown' && !verdict.stateCertain
        ? '; or the CPU has no FEAT_RAS, and then this says nothing'
        : '';
    sentences.push(`${state.charAt(0).toUpperCase()}${state.slice(1)}${doubt}.`);
  }
  if (verdict.class === 'sea-walk' || verdict.class === 'parity-walk') {
    sentences.push('Bad memory was met in a page table, not in the data.');
  }
  const { ISS } = ESR.read(record.esr);
  if (isError && verdict.class !== 'serror') {
    const d = ISS_DATA_ABORT.read(ISS);
    if (d.S1PTW) sentences.push('It was on the stage 2 translation of a stage 1 walk (S1PTW).');
    const { gva } = armSeaAddresses(record);
    const virtual = d.FnV && verdict.class === 'sea' ? undefined : (record.far ?? gva);
    sentences.push(virtual === undefined ? 'The virtual address is not known.' : `Virtual address ${hex64(virtual)}.`);
  }
  const page = armPageOf(record);
  if (page !== undefined) {
    const whose = page.space === 'guest' ? 'guest physical' : 'physical';
    sentences.push(`Page at ${whose} address ${hex64(page.address)} (page frame 0x${page.pfn.toString(16)}).`);
  } else if (record.walkedGpa !== undefined && isError) {
    const page4k = hex64(pageOf(record.walkedGpa));
    sentences.push(
      `The guest's own tables lead to guest physical address ${page4k}; as a table walk was aborted, the error need not lie there.`,
    );
  } else if (isError) {
    sentences.push('No physical address came with it; a firmware record (GHES) of the same moment may have one.');
  }
  return sentences.join(' ');
}

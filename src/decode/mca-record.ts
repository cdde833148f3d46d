/** @module A machine check as a decoded record. */
import { classify } from '../mca/classify.ts';
import type { McaClass } from '../mca/classify.ts';
import { explain } from '../mca/explain.ts';
import { decodeMcacod } from '../mca/mcacod.ts';
import { pageOf } from '../mca/page.ts';
import type { X86McaRecord } from '../mca/record.ts';
import { MCG_STATUS, MCI_MISC, MCI_STATUS_AMD, MCI_STATUS_INTEL } from '../mca/registers.ts';
import { LazyRecord } from './lazy.ts';
import { MCA_HEADLINE, MCA_NEXT, MCA_SEVERITY } from './mca-words.ts';
import type {
  DecodedAddress,
  DecodedCode,
  DecodedField,
  DecodedSeverity,
  DecodedSource,
  Diagnostic,
} from './record.ts';

/** Members of a record that are registers, in the order they are shown. */
const REGISTERS = [
  'status',
  'mcgStatus',
  'mcgCap',
  'addr',
  'misc',
  'synd',
  'synd1',
  'synd2',
  'ipid',
  'config',
  'destat',
  'deaddr',
  'ppin',
  'tsc',
  'cpuid',
  'apicId',
  'microcode',
  'rip',
  'cs',
] as const satisfies readonly (keyof X86McaRecord)[];

/** Flags by bit, from the highest down; without a vendor only those that Intel and AMD share. */
const COMMON = flagTable(MCI_STATUS_INTEL.fields, 57);
const INTEL = flagTable(MCI_STATUS_INTEL.fields, 0);
const AMD = flagTable(MCI_STATUS_AMD.fields, 0);

function flagTable(
  fields: readonly { kind: string; name: string; lo: number }[],
  lowest: number,
): readonly (readonly [string, bigint])[] {
  return fields
    .filter(f => f.kind === 'bit' && f.lo >= lowest)
    .toSorted((a, b) => b.lo - a.lo)
    .map(f => [f.name, 1n << BigInt(f.lo)] as const);
}

/** The same few status values fill most logs; what depends on the status alone is computed once for each. */
const MAX_MEMO = 4096;
const memo = new Map<string, Map<bigint, McaClass>>();

function classOf(record: X86McaRecord): McaClass {
  if (record.mcgCap !== undefined) return classify(record);
  const vendor = record.vendor ?? '';
  let known = memo.get(vendor);
  if (known === undefined) memo.set(vendor, (known = new Map<bigint, McaClass>()));
  let found = known.get(record.status);
  if (found === undefined) {
    found = classify(record);
    if (known.size < MAX_MEMO) known.set(record.status, found);
  }
  return found;
}

export class McaDecoded extends LazyRecord {
  readonly kind = 'x86-mca';
  readonly raw: X86McaRecord;
  readonly #bankKnown: boolean;

  constructor(raw: X86McaRecord, source: DecodedSource, diagnostics: readonly Diagnostic[], bankKnown = true) {
    super(source, diagnostics);
    this.raw = raw;
    this.#bankKnown = bankKnown;
  }

  override get cpu(): number | undefined {
    return this.raw.cpu;
  }
  override get bank(): number | undefined {
    return this.#bankKnown ? this.raw.bank : undefined;
  }
  override get registers(): Readonly<Record<string, bigint>> {
    const out: Record<string, bigint> = {};
    for (const name of REGISTERS) {
      const value = this.raw[name];
      if (value !== undefined) out[name] = value;
    }
    return out;
  }
  override get flags(): readonly string[] {
    const { vendor, status } = this.raw;
    const table = vendor === 'intel' ? INTEL : vendor === 'amd' ? AMD : COMMON;
    return table.filter(([, mask]) => (status & mask) !== 0n).map(([name]) => name);
  }
  override get class(): McaClass {
    return classOf(this.raw);
  }
  override get severity(): DecodedSeverity {
    return MCA_SEVERITY[this.class];
  }
  override get mcacod(): DecodedCode {
    const value = Number(this.raw.status & 0xffffn);
    const code = decodeMcacod(value, this.raw.vendor);
    return { value, class: code.class, mnemonic: code.mnemonic, text: code.text };
  }
  override get address(): DecodedAddress | undefined {
    const page = pageOf(this.raw);
    if (page !== undefined) {
      return { value: page.address, space: 'physical', pfn: page.pfn, lsb: page.lsb, pages: page.pages };
    }
    const { addr, status } = this.raw;
    return addr === undefined || (status & (1n << 58n)) === 0n ? undefined : { value: addr, space: 'unknown' };
  }
  override get fields(): readonly DecodedField[] {
    const { vendor, status, mcgStatus, misc } = this.raw;
    const rows: DecodedField[] = [];
    const add = (
      register: string,
      table: { describe(value: bigint): { name: string; hi: number; lo: number; value: bigint; meaning?: string }[] },
      value: bigint,
    ): void => {
      for (const row of table.describe(value)) rows.push({ register, ...row });
    };
    add('status', vendor === 'amd' ? MCI_STATUS_AMD : MCI_STATUS_INTEL, status);
    if (mcgStatus !== undefined) add('mcgStatus', MCG_STATUS, mcgStatus);
    if (misc !== undefined && vendor !== 'amd' && (status & (1n << 59n)) !== 0n) add('misc', MCI_MISC, misc);
    return rows;
  }
  override get headline(): string {
    const { vendor } = this.raw;
    const where = [
      this.raw.cpu === undefined ? '' : `CPU ${this.raw.cpu}`,
      this.bank === undefined ? '' : `bank ${this.bank}`,
    ].filter(w => w !== '');
    const code = this.mcacod;
    const what = this.class === 'invalid' || code.class === 'no-error' ? '' : `: ${code.text}`;
    const who = vendor === undefined ? 'x86' : vendor === 'intel' ? 'Intel' : 'AMD';
    return `${who} machine check, ${MCA_HEADLINE[this.class]}${what}${where.length === 0 ? '' : ` (${where.join(', ')})`}`;
  }
  override get explanation(): string {
    const text = explain(this.raw);
    // `explain` needs a bank; where the input names none, nothing may be said about one.
    return this.#bankKnown
      ? text
      : text
          .replace(/Reported by bank 0/, 'Reported by a bank that the input does not name')
          .replace('(bank 0)', '(bank not named)');
  }
  override get nextStep(): string {
    return MCA_NEXT[this.class];
  }
}

/** @module A machine check as a decoded record. */
import { classify } from '../mca/classify.ts';
import type { McaClass } from '../mca/classify.ts';
import { component } from '../mca/component.ts';
import { describeRecord } from '../mca/describe.ts';
import { explain } from '../mca/explain.ts';
import { lint } from '../mca/lint.ts';
import { decodeMcacod } from '../mca/mcacod.ts';
import { nextStep } from '../mca/next-step.ts';
import { pageOf } from '../mca/page.ts';
import type { X86McaRecord } from '../mca/record.ts';
import { MCI_STATUS_AMD, MCI_STATUS_INTEL } from '../mca/registers.ts';
import { severity } from '../mca/severity.ts';
import type { McaSeverity } from '../mca/severity.ts';
import { LazyRecord } from './lazy.ts';
import { MCA_HEADLINE } from './mca-words.ts';
import { outlookOf } from './outlook.ts';
import type {
  DecodedAddress,
  DecodedCode,
  DecodedComponent,
  DecodedField,
  DecodedOutlook,
  DecodedSeverity,
  DecodedSource,
  Diagnostic,
  Finding,
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
const MAX_MEMO = 1024;
const ADDRV = 1n << 58n;
interface Grade {
  class: McaClass;
  severity: McaSeverity;
  flags: readonly string[];
  code: DecodedCode;
}
const memo = new Map<string, Map<bigint, Grade>>();

function grade(record: X86McaRecord): Grade {
  const { vendor, status } = record;
  const table = vendor === 'intel' ? INTEL : vendor === 'amd' ? AMD : COMMON;
  const value = Number(status & 0xffffn);
  const code = decodeMcacod(value, vendor);
  return {
    class: classify(record),
    severity: severity(record),
    flags: table.filter(([, mask]) => (status & mask) !== 0n).map(([name]) => name),
    code: { value, class: code.class, mnemonic: code.mnemonic, text: code.text },
  };
}

function gradeOf(record: X86McaRecord): Grade {
  // With MCG_CAP the class depends on more than the status.
  if (record.mcgCap !== undefined) return grade(record);
  const vendor = record.vendor ?? '';
  let known = memo.get(vendor);
  if (known === undefined) memo.set(vendor, (known = new Map<bigint, Grade>()));
  let found = known.get(record.status);
  if (found === undefined) {
    found = grade(record);
    if (known.size < MAX_MEMO) known.set(record.status, found);
  }
  return found;
}

/** Intel's page is the address without its low bits, whose number the status and MISC give: computed once for each pair. */
const pageShapes = new Map<bigint, Map<bigint, number>>();
const ALL_ONES = (1n << 64n) - 1n;
const NO_PAGE = -1;

function intelLsb(record: X86McaRecord, misc: bigint): number {
  let byMisc = pageShapes.get(record.status);
  if (byMisc === undefined) {
    byMisc = new Map();
    if (pageShapes.size < MAX_MEMO) pageShapes.set(record.status, byMisc);
  }
  let lsb = byMisc.get(misc);
  if (lsb === undefined) {
    lsb = pageOf({ ...record, addr: ALL_ONES })?.lsb ?? NO_PAGE;
    if (byMisc.size < MAX_MEMO) byMisc.set(misc, lsb);
  }
  return lsb;
}

function addressOf(record: X86McaRecord): DecodedAddress | undefined {
  const { addr, misc, status, vendor } = record;
  if (addr === undefined) return undefined;
  if (vendor === 'intel' && misc !== undefined) {
    const lsb = intelLsb(record, misc);
    if (lsb !== NO_PAGE) {
      const value = (addr >> BigInt(lsb)) << BigInt(lsb);
      return { value, space: 'physical', pfn: value >> 12n, lsb, pages: lsb > 12 ? 1n << BigInt(lsb - 12) : 1n };
    }
  } else {
    const page = pageOf(record);
    if (page !== undefined) {
      return { value: page.address, space: 'physical', pfn: page.pfn, lsb: page.lsb, pages: page.pages };
    }
  }
  return (status & ADDRV) === 0n ? undefined : { value: addr, space: 'unknown' };
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
    return gradeOf(this.raw).flags;
  }
  override get class(): McaClass {
    return gradeOf(this.raw).class;
  }
  override get severity(): DecodedSeverity {
    return gradeOf(this.raw).severity;
  }
  override get component(): DecodedComponent {
    const { area, name, detail, basis } = component(this.raw);
    return detail === undefined ? { area, name, basis } : { area, name, detail, basis };
  }
  override get mcacod(): DecodedCode {
    return gradeOf(this.raw).code;
  }
  override get address(): DecodedAddress | undefined {
    return addressOf(this.raw);
  }
  override get fields(): readonly DecodedField[] {
    return describeRecord(this.raw).flatMap(view => view.rows.map(row => ({ register: view.member, ...row })));
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
    return nextStep(this.raw).join(' ');
  }
  protected override findings(): readonly Finding[] {
    return lint(this.raw);
  }
  protected override predictions(): readonly DecodedOutlook[] {
    return this.raw.vendor === undefined || this.class === 'invalid' ? [] : outlookOf(this.raw);
  }
}

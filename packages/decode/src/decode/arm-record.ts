/** @module An arm64 abort or SError as a decoded record. */
import { armPageOf, classifyArm } from '../arm/classify.ts';
import type { ArmSeverity } from '../arm/classify.ts';
import { HPFAR, describeEsr } from '../arm/esr.ts';
import { explainArm } from '../arm/explain.ts';
import { lintArm } from '../arm/lint.ts';
import type { ArmSeaRecord } from '../arm/record.ts';
import { LazyRecord } from './lazy.ts';
import { outlookOf } from './outlook.ts';
import type {
  DecodedAddress,
  DecodedField,
  DecodedOutlook,
  DecodedSeverity,
  DecodedSource,
  Diagnostic,
  Finding,
} from './record.ts';

const SEVERITY: Readonly<Record<ArmSeverity, DecodedSeverity>> = {
  fatal: 'fatal',
  recoverable: 'uncorrected-recoverable',
  restartable: 'uncorrected-recoverable',
  corrected: 'corrected',
  none: 'info',
  unknown: 'unknown',
};

const REGISTERS = ['esr', 'far', 'hpfar', 'pfar', 'flags', 'gva', 'gpa', 'walkedGpa', 'elr'] as const;

export class ArmDecoded extends LazyRecord {
  readonly kind: 'arm-sea' | 'arm-serror';
  readonly raw: ArmSeaRecord;

  constructor(raw: ArmSeaRecord, source: DecodedSource, diagnostics: readonly Diagnostic[]) {
    super(source, diagnostics);
    this.raw = raw;
    this.kind = classifyArm(raw).class === 'serror' ? 'arm-serror' : 'arm-sea';
  }

  override get cpu(): number | undefined {
    return this.raw.cpu;
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
    return describeEsr(this.raw.esr)
      .filter(row => row.hi === row.lo && row.value === 1n && row.name !== 'reserved' && row.name !== 'IL')
      .map(row => row.name);
  }
  override get class(): string {
    return classifyArm(this.raw).class;
  }
  override get severity(): DecodedSeverity {
    const verdict = classifyArm(this.raw);
    if (verdict.class === 'mmu-fault' || verdict.class === 'other') return 'info';
    return SEVERITY[verdict.severity];
  }
  override get address(): DecodedAddress | undefined {
    const page = armPageOf(this.raw);
    if (page !== undefined) {
      const space = page.space === 'guest' ? 'guest-physical' : 'physical';
      return { value: page.address, space, pfn: page.pfn };
    }
    const va = this.raw.gva ?? this.raw.far;
    const fnv = describeEsr(this.raw.esr).some(row => row.name === 'FnV' && row.value === 1n);
    return va === undefined || fnv ? undefined : { value: va, space: 'virtual' };
  }
  override get fields(): readonly DecodedField[] {
    const rows: DecodedField[] = describeEsr(this.raw.esr).map(row => ({ register: 'esr', ...row }));
    if (this.raw.hpfar !== undefined) {
      for (const row of HPFAR.describe(this.raw.hpfar)) rows.push({ register: 'hpfar', ...row });
    }
    return rows;
  }
  override get headline(): string {
    const cpu = this.raw.cpu === undefined ? '' : ` (CPU ${this.raw.cpu})`;
    return `arm64 ${HEADLINE[classifyArm(this.raw).class]}${cpu}`;
  }
  override get explanation(): string {
    return explainArm(this.raw);
  }
  override get nextStep(): string {
    const { class: cls, from } = classifyArm(this.raw);
    const next = NEXT[cls];
    return from === undefined || !next.endsWith(ABORT) ? next : `${next} ${AFTER[from]}`;
  }
  protected override findings(): readonly Finding[] {
    return lintArm(this.raw);
  }
  protected override predictions(): readonly DecodedOutlook[] {
    const memoryError = this.severity !== 'info' && this.class !== 'reserved';
    return memoryError ? outlookOf(this.raw, this.source.from) : [];
  }
}

type ArmClass = ReturnType<typeof classifyArm>['class'];

const HEADLINE: Readonly<Record<ArmClass, string>> = {
  sea: 'synchronous external abort',
  'sea-walk': 'synchronous external abort on a translation table walk',
  parity: 'synchronous parity or ECC error',
  'parity-walk': 'synchronous parity or ECC error on a translation table walk',
  serror: 'SError, an asynchronous error',
  'mmu-fault': 'MMU fault, not a memory error',
  reserved: 'exception with a reserved syndrome',
  other: 'exception that is neither an abort nor an SError',
};

const ABORT =
  'Look for a firmware record (`Hardware error from APEI`) at the same time: only it can name the physical page.';
/** What Linux does, by the exception level that the abort came from. */
const AFTER = {
  lower: 'It came from a lower exception level: Linux sends SIGBUS to the process, a hypervisor hands it to the guest.',
  same: 'It came from the level that took it, the kernel itself: Linux oopses.',
} as const;

const NEXT: Readonly<Record<ArmClass, string>> = {
  sea: ABORT,
  'sea-walk': `The walk itself failed, so the bad memory holds a translation table, which nobody can repair. ${ABORT}`,
  parity: ABORT,
  'parity-walk': ABORT,
  serror:
    'An SError is imprecise: the program that ran need not have caused it. Linux panics unless the syndrome says corrected or restartable. Look for a firmware record, and at the RAS registers of the CPU.',
  'mmu-fault': 'This is an ordinary fault of the memory management unit. Nothing of the memory is broken.',
  reserved: 'Check that the value was copied whole and that it is ESR_ELx.',
  other: 'Check that the value is the ESR of the exception you look for.',
};

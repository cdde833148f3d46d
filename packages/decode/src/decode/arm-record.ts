/** @module An arm64 abort or SError as a decoded record. */
import { armPageOf, classifyArm } from '../arm/classify.ts';
import type { ArmClass, ArmSeverity } from '../arm/classify.ts';
import { describeArm } from '../arm/describe.ts';
import { describeEsr } from '../arm/esr.ts';
import { explainArm } from '../arm/explain.ts';
import { lintArm } from '../arm/lint.ts';
import { nextStepArm } from '../arm/next-step.ts';
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
    return Object.fromEntries(describeArm(this.raw).map(({ member, value }) => [member, value]));
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
    return describeArm(this.raw).flatMap(({ member, rows }) => rows.map(row => ({ register: member, ...row })));
  }
  override get headline(): string {
    const cpu = this.raw.cpu === undefined ? '' : ` (CPU ${this.raw.cpu})`;
    return `arm64 ${HEADLINE[classifyArm(this.raw).class]}${cpu}`;
  }
  override get explanation(): string {
    return explainArm(this.raw);
  }
  override get nextStep(): string {
    return nextStepArm(this.raw, this.source.from === 'firmware').join(' ');
  }
  protected override findings(): readonly Finding[] {
    return lintArm(this.raw);
  }
  protected override predictions(): readonly DecodedOutlook[] {
    const memoryError = this.severity !== 'info' && this.class !== 'reserved';
    return memoryError ? outlookOf(this.raw, this.source.from) : [];
  }
}

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

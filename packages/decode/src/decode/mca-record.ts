/** @module A machine check as a decoded record. */
import type { McaClass } from '../mca/classify.ts';
import { decidingOf } from '../mca/deciding.ts';
import { explainIn } from '../mca/explain.ts';
import { stepsOfEarlierBoot } from '../mca/next-step.ts';
import { pageIn } from '../mca/page.ts';
import type { PageShape } from '../mca/page.ts';
import { MCA_REGISTERS } from '../mca/record.ts';
import type { X86McaRecord } from '../mca/record.ts';
import { MCI_STATUS_INTEL } from '../mca/registers.ts';
import { Kept } from './kept.ts';
import type { McaPattern } from './mca-pattern.ts';
import { LazyRecord } from './lazy.ts';
import { placeIn } from './mca-place.ts';
import { cpuText } from './place.ts';
import type { DecodedPlace } from './place.ts';
import type { DecodedTime } from './time.ts';
import { mcaCase } from '../outlook/case.ts';
import { outlookOf, outlookOfCase, readersOf } from './outlook.ts';
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

const { ADDRV } = MCI_STATUS_INTEL.masks;

/** Of a machine check that came from the firmware: behind its headline, and what it was for the system. */
const WITHIN: Readonly<Record<NonNullable<X86McaRecord['within']>, readonly [suffix: string, words: string]>> = {
  report: [
    ', kept by the firmware',
    'It stands in a report of the firmware, which says what becomes of the system: the record before this one. ',
  ],
  'previous-boot': [
    ', kept by the firmware from the previous boot',
    'It stands in a report of the firmware about the boot before this one: Linux only prints it. ',
  ],
  start: [
    ', found by the firmware at its start',
    'The firmware found it in its bank when the machine started: it is of the boot before. ',
  ],
};

function addressOf({ addr, status }: X86McaRecord, shape: PageShape | undefined): DecodedAddress | undefined {
  if (addr === undefined) return undefined;
  if (shape !== undefined) {
    const { address, pfn, lsb, assumed, pages } = pageIn(shape, addr);
    return assumed === true
      ? { value: address, space: 'physical', pfn }
      : { value: address, space: 'physical', pfn, lsb, pages };
  }
  return (status & ADDRV) === 0n ? undefined : { value: addr, space: 'unknown' };
}

export class McaDecoded extends LazyRecord {
  readonly kind = 'x86-mca';
  readonly raw: X86McaRecord;
  readonly #bankKnown: boolean;
  readonly #kept: Kept;
  #pattern: McaPattern | undefined;
  /** Made to learn the pattern of the outlook. */
  #predicted: readonly DecodedOutlook[] | undefined;

  /** @param kept of the decoder; a record by itself has its own */
  constructor(
    raw: X86McaRecord,
    source: DecodedSource,
    diagnostics: readonly Diagnostic[],
    kept: Kept = new Kept(),
    bankKnown = true,
  ) {
    super(source, diagnostics);
    this.raw = raw;
    this.#kept = kept;
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
    for (const name of MCA_REGISTERS) {
      const value = this.raw[name];
      if (value !== undefined) out[name] = value;
    }
    return out;
  }
  get #said(): McaPattern {
    return (this.#pattern ??= this.#kept.patterns.of(this.raw));
  }
  override get pattern(): object | undefined {
    // What it shares with others does not say that it was fatal.
    if (this.raw.reported !== undefined) return undefined;
    return this.#said.kept ? this.#said.of(this.raw.within ?? readersOf(this.source.from)) : undefined;
  }
  override get flags(): readonly string[] {
    return this.#said.flags;
  }
  override get class(): McaClass {
    return this.#said.class;
  }
  override get severity(): DecodedSeverity {
    return this.raw.reported ?? this.#said.severity;
  }
  override get component(): DecodedComponent {
    return this.#said.component;
  }
  protected override get namedPlace(): DecodedPlace | undefined {
    const { place, cell } = this.#said;
    return placeIn(this.raw, place, cell);
  }
  override get count(): number | undefined {
    // What a tool counts it takes from MCi_STATUS: where the vendor is known, the register says whether that is a count.
    return this.#said.corrected.count ?? (this.raw.vendor === undefined ? this.raw.said?.count : undefined);
  }
  override get threshold(): 'green' | 'yellow' | undefined {
    return this.#said.corrected.threshold;
  }
  override get time(): DecodedTime | undefined {
    const { time } = this.raw;
    return (time === undefined ? undefined : this.#kept.times.of(Number(time))) ?? this.lineTime;
  }
  override get mcacod(): DecodedCode {
    return this.#said.code;
  }
  override get address(): DecodedAddress | undefined {
    return addressOf(this.raw, this.#said.page);
  }
  override get fields(): readonly DecodedField[] {
    return this.#said.layouts.flatMap(l => this.#kept.rows.of(l.member, l.register, this.raw[l.member]));
  }
  override fieldsOf(register: string): readonly DecodedField[] {
    const layout = this.#said.layouts.find(l => l.member === register);
    return layout === undefined ? [] : this.#kept.rows.of(layout.member, layout.register, this.raw[layout.member]);
  }
  override get headline(): string {
    const { bank } = this;
    const cpu = cpuText(this.raw);
    const where = [...(cpu === undefined ? [] : [cpu]), ...(bank === undefined ? [] : [`bank ${bank}`])];
    return where.length === 0 ? this.title : `${this.title} (${where.join(', ')})`;
  }
  override get title(): string {
    const { within, reported } = this.raw;
    const suffix = reported !== undefined && this.#said.severity !== reported ? ', reported as fatal' : '';
    return this.#said.headline + (within === undefined ? '' : WITHIN[within][0]) + suffix;
  }
  override get explanation(): string {
    const { frame, page } = this.#said;
    const { addr } = this.raw;
    const text = explainIn(frame, this.raw, page === undefined || addr === undefined ? undefined : pageIn(page, addr));
    // `explain` needs a bank; where the input names none, nothing may be said about one.
    return this.#bankKnown
      ? text
      : text
          .replace(/Reported by bank 0/, 'Reported by a bank that the input does not name')
          .replace('(bank 0)', '(bank not named)');
  }
  override get nextStep(): string {
    const { within } = this.raw;
    if (within === undefined) return this.#said.nextStep;
    const steps = within === 'report' ? this.#said.nextStep : stepsOfEarlierBoot(decidingOf(this.raw)).join(' ');
    return WITHIN[within][1] + steps;
  }
  protected override findings(): readonly Finding[] {
    return this.#said.lint;
  }
  protected override predictions(): readonly DecodedOutlook[] {
    // No CPU raises it again: Linux has it from the firmware.
    if (this.raw.within !== undefined) return [];
    if (this.raw.vendor === undefined || this.class === 'invalid') return [];
    return this.#predicted ?? outlookOf(this.raw, this.source.from);
  }
  override get outlookPattern(): object | undefined {
    const { raw, source } = this;
    if (raw.within !== undefined || raw.vendor === undefined || this.class === 'invalid') return undefined;
    return this.#kept.outlooks.of(raw, readersOf(source.from), () => {
      const seen = mcaCase(raw);
      this.#predicted = outlookOfCase(seen, source.from);
      return seen.status.asked;
    });
  }
}

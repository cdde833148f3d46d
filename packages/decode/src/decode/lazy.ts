/** @module The base of decoded records: members are computed once, when they are first asked for. */
import type {
  DecodedAddress,
  DecodedCode,
  DecodedComponent,
  DecodedField,
  DecodedKind,
  DecodedOutlook,
  DecodedRecord,
  DecodedSeverity,
  DecodedSource,
  Diagnostic,
  Finding,
  RawRecord,
} from './record.ts';
import type { DecodedPlace, DimmFacts } from './place.ts';
import { toData } from './record.ts';
import { timeOfStamp } from './time.ts';
import type { DecodedTime } from './time.ts';

const NOTHING: readonly never[] = [];

/** What a kind of record can say about itself; members that a kind does not have stay as they are here. */
export abstract class LazyRecord implements DecodedRecord {
  readonly source: DecodedSource;
  readonly diagnostics: readonly Diagnostic[];
  abstract readonly kind: DecodedKind;
  abstract readonly raw: RawRecord;
  /** What its first line begins with, or the seconds since boot there. */
  stamp: string | number | undefined;
  /** What SMBIOS says of the DIMM that it names. */
  dimm: DimmFacts | undefined;
  #lint: readonly Finding[] | undefined;
  #outlook: readonly DecodedOutlook[] | undefined;

  constructor(source: DecodedSource, diagnostics: readonly Diagnostic[]) {
    this.source = source;
    this.diagnostics = diagnostics;
  }

  get cpu(): number | undefined {
    return undefined;
  }
  get bank(): number | undefined {
    return undefined;
  }
  get registers(): Readonly<Record<string, bigint>> {
    return {};
  }
  get flags(): readonly string[] {
    return NOTHING;
  }
  abstract get class(): string;
  abstract get severity(): DecodedSeverity;
  get mcacod(): DecodedCode | undefined {
    return undefined;
  }
  get address(): DecodedAddress | undefined {
    return undefined;
  }
  get component(): DecodedComponent | undefined {
    return undefined;
  }
  get place(): DecodedPlace | undefined {
    return this.dimm === undefined ? this.namedPlace : { ...this.namedPlace, ...this.dimm };
  }
  /** The place as the record itself names it. */
  protected get namedPlace(): DecodedPlace | undefined {
    return undefined;
  }
  get count(): number | undefined {
    return undefined;
  }
  get threshold(): 'green' | 'yellow' | undefined {
    return undefined;
  }
  get time(): DecodedTime | undefined {
    return this.lineTime;
  }
  get lineTime(): DecodedTime | undefined {
    return this.stamp === undefined ? undefined : timeOfStamp(this.stamp);
  }
  get lint(): readonly Finding[] {
    this.#lint ??= this.findings();
    return this.#lint;
  }
  get pattern(): object | undefined {
    return undefined;
  }
  get outlookPattern(): object | undefined {
    return undefined;
  }
  get fields(): readonly DecodedField[] {
    return NOTHING;
  }
  fieldsOf(register: string): readonly DecodedField[] {
    return this.fields.filter(f => f.register === register);
  }
  abstract get headline(): string;
  get title(): string {
    return this.headline;
  }
  abstract get explanation(): string;
  abstract get nextStep(): string;
  get outlook(): readonly DecodedOutlook[] {
    this.#outlook ??= this.predictions();
    return this.#outlook;
  }

  protected findings(): readonly Finding[] {
    return NOTHING;
  }
  protected predictions(): readonly DecodedOutlook[] {
    return NOTHING;
  }

  toJSON(): Record<string, unknown> {
    return toData(this);
  }
}

/** @module Machine checks as JSON lines, fast: what records of one pattern have in common is written once. */
import { JsonBytes, NotPlain } from './json-bytes.ts';
import { DECODED_SCHEMA_VERSION, rawData } from './record.ts';
import type { DecodedRecord } from './record.ts';

/** What records of one pattern have in common, with the names of the members. */
interface CommonJson {
  /** From `flags` to `mcacod`. */
  grade: Uint8Array;
  component: Uint8Array;
  lint: Uint8Array;
  nextStep: Uint8Array;
}

/** Writes records as `escapeJson(stringify(toData(record)))` does, with the same bytes. */
export class JsonWriter {
  readonly #out = new JsonBytes();
  readonly #common = new WeakMap<object, CommonJson>();

  /**
   * The bytes of the record on one line, with its line feed, lent until the next call; undefined for what is left to
   * {@link toData}: other kinds.
   */
  line(record: DecodedRecord): Uint8Array | undefined {
    if (record.kind !== 'x86-mca') return undefined;
    const out = this.#out;
    out.cut();
    try {
      this.#line(record);
    } catch (error) {
      if (error instanceof NotPlain) return undefined;
      throw error;
    }
    return out.view();
  }

  #line(record: DecodedRecord): void {
    const out = this.#out;
    const common = this.#commonOf(record);
    out.raw(HEAD);
    out.value(record.source);
    out.member('kind', record.kind);
    out.member('cpu', record.cpu);
    out.member('bank', record.bank);
    out.member('registers', record.registers);
    if (common === undefined) this.#grade(record);
    else out.part(common.grade);
    out.member('address', record.address);
    if (common === undefined) out.member('component', record.component);
    else out.part(common.component);
    out.member('place', record.place);
    out.member('count', record.count);
    out.member('threshold', record.threshold);
    out.member('time', record.time);
    if (common === undefined) out.member('lint', record.lint);
    else out.part(common.lint);
    out.member('diagnostics', record.diagnostics);
    out.member('headline', record.headline);
    out.member('explanation', record.explanation);
    if (common === undefined) out.member('nextStep', record.nextStep);
    else out.part(common.nextStep);
    out.member('raw', rawData(record));
    out.raw('}\n');
  }

  #grade({ flags, class: name, severity, mcacod }: DecodedRecord): void {
    const out = this.#out;
    out.member('flags', flags);
    out.member('class', name);
    out.member('severity', severity);
    out.member('mcacod', mcacod);
  }

  /** Undefined for a record that has nothing in common with others. */
  #commonOf(record: DecodedRecord): CommonJson | undefined {
    const { pattern } = record;
    if (pattern === undefined) return undefined;
    let common = this.#common.get(pattern);
    if (common === undefined) {
      common = {
        grade: this.#apart(() => this.#grade(record)),
        component: this.#apart(() => this.#out.member('component', record.component)),
        lint: this.#apart(() => this.#out.member('lint', record.lint)),
        nextStep: this.#apart(() => this.#out.member('nextStep', record.nextStep)),
      };
      this.#common.set(pattern, common);
    }
    return common;
  }

  /** What something writes, by itself. */
  #apart(write: () => void): Uint8Array {
    const out = this.#out;
    out.cut();
    write();
    const bytes = out.view().slice();
    out.cut();
    return bytes;
  }
}

const HEAD = `{"schemaVersion":${DECODED_SCHEMA_VERSION},"source":`;

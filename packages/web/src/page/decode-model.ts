/** @module What the page of records looks at: an input that is read piece by piece, and one record that may be changed. */
import { batch, computed, type ReadonlySignal, signal } from '@preact/signals';
import { type FileKind, KIND_WORDS } from '@syndrome/decode/bundle/file-kind.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { DecoderOptions } from '@syndrome/decode/decode/decoder.ts';
import type { DecodedRecord, Diagnostic, RawRecord } from '@syndrome/decode/decode/record.ts';
import { dataOf, recordOf } from '@syndrome/decode/decode/transfer.ts';
import type { Consumer, Settings } from '@syndrome/decode/outlook/context.ts';
import { Triage, type TriageReport } from '@syndrome/decode/triage/triage.ts';
import { withValue } from '../view/edit.ts';
import { Kept } from './kept.ts';
import { openLog, readLog } from './read-log.ts';
import type { Assumed } from '../view/outlook.ts';
import { hashOfRecord } from '../view/record-link.ts';
import { RecordList } from '../view/record-rows.ts';

/** A file that somebody gives, packed or as it is. */
interface GivenFile {
  blob: Blob;
  name: string;
}

/** One of the files of an input. */
interface InputPart {
  name: string;
  /** Unpacked: lines are shown out of it. */
  blob: Blob;
  /** Index of its first record. */
  first: number;
  /** What it is, where it is nothing that is read here. */
  unread: Exclude<FileKind, 'other'> | undefined;
}

/** An input that was read, or is being read. */
export interface Input {
  name: string;
  /** Files that were opened so far; in a finished input all of them. */
  parts: readonly InputPart[];
  /** How many were given. */
  given: number;
  /** Bytes of the parts. */
  size: number;
  /** The text of a short one, which can be changed. */
  text: string | undefined;
  form: string;
  why: string;
  /** 0 to 1 while it is read; undefined when it is read. */
  share: number | undefined;
  remarks: { text: string; code: string; line: number | undefined; part: number }[];
}

/** A longer input is no text to change by hand. */
const SHORT = 8192;
const MAX_REMARKS = 200;

export class DecodeModel {
  readonly input = signal<Input | undefined>(undefined);
  /** Counts as records come; the list itself is too long to copy. */
  readonly version = signal(0);
  readonly triage = signal<TriageReport | undefined>(undefined);
  readonly chosen = signal(0);
  readonly find = signal('');
  readonly grouped = signal(false);
  readonly edits = signal<readonly RawRecord[]>([]);
  readonly assumed = signal<Assumed>({});
  /** The part of a register that is pointed at: member, bits. */
  readonly lit = signal<{ member: string; hi: number; lo: number } | undefined>(undefined);
  readonly said = signal('');
  /** Inputs that were open. */
  readonly kept = new Kept<readonly GivenFile[]>();
  list = new RecordList();

  readonly rows: ReadonlySignal<Int32Array> = computed(() => {
    void this.version.value;
    return this.list.find(this.find.value);
  });
  /** The record as it was read. */
  readonly original: ReadonlySignal<DecodedRecord | undefined> = computed(() => {
    void this.version.value;
    return this.list.records[this.chosen.value];
  });
  /** The record as it is now. */
  readonly record: ReadonlySignal<DecodedRecord | undefined> = computed(() => {
    const original = this.original.value;
    const raw = this.edits.value.at(-1);
    return original && raw ? recordOf({ ...dataOf(original), raw }) : original;
  });

  #generation = 0;

  say(text: string): void {
    this.said.value = safeText(text, 300);
  }

  /**
   * Reads files as one input, one after the other; what was shown before goes.
   * @param changed it is the same input: with another text, or opened again
   */
  async open(given: readonly GivenFile[], changed = false): Promise<void> {
    const generation = ++this.#generation;
    const current = (): boolean => generation === this.#generation;
    const [first] = given;
    if (!first) return;
    const name = given.length === 1 ? first.name : `${given.length} files`;
    const list = new RecordList(given.length > 1);
    const triage = new Triage();
    const remarks: Input['remarks'] = [];
    const parts: InputPart[] = [];
    let [form, why, text]: [string, string, string | undefined] = ['', '', undefined];
    let shown = performance.now();
    const told = (share: number | undefined): void => {
      shown = performance.now();
      const size = parts.reduce((sum, { blob }) => sum + blob.size, 0);
      batch(() => {
        this.input.value = {
          name,
          given: given.length,
          size,
          text,
          form,
          why,
          share,
          parts: [...parts],
          remarks: [...remarks],
        };
        this.version.value++;
      });
    };
    batch(() => {
      this.list = list;
      this.chosen.value = 0;
      this.find.value = '';
      this.grouped.value = false;
      this.edits.value = [];
      this.triage.value = undefined;
      if (changed) this.kept.change(given);
      else this.kept.open(given);
      told(0);
    });
    for (const [i, file] of given.entries()) {
      const { blob, kind, lost } = await openLog(file.blob, file.name);
      if (!current()) return;
      const unread = kind === 'other' ? undefined : kind;
      parts.push({ name: file.name, blob, first: list.records.length, unread });
      const remark = ({ code, message }: Diagnostic, line?: number): void => {
        if (remarks.length < MAX_REMARKS) remarks.push({ code, text: safeText(message, 400), line, part: i });
      };
      if (lost !== undefined) remark({ code: 'E_INPUT_ARCHIVE', message: lost });
      if (unread !== undefined) {
        remark({ code: 'E_INPUT', message: `${file.name} is ${KIND_WORDS[unread].what}, and was not read` });
        continue;
      }
      if (given.length === 1 && blob.size <= SHORT) {
        const whole = await blob.text();
        if (!current()) return;
        if (!whole.includes('\0')) text = whole;
      }
      const options: DecoderOptions = {
        input: file.name,
        onRecord: record => {
          list.add(record);
          triage.add(record);
          for (const diagnostic of record.diagnostics) remark(diagnostic, record.source.firstLine);
        },
        onDetected: detection => {
          if (form === '') [form, why] = [detection.form, safeText(detection.evidence, 300)];
        },
        onDiagnostic: (diagnostic, source) => remark(diagnostic, source.firstLine),
      };
      const onSlice = (share: number): void => {
        // The list grows a few times a second; more often nobody sees.
        if (performance.now() - shown > 150 || (list.records.length > 0 && this.version.value < 3))
          told((i + share) / given.length);
      };
      if (!(await readLog(blob, options, onSlice, current))) return;
    }
    batch(() => {
      const worst = triage.worst()?.record;
      this.triage.value = list.records.length > 1 ? triage.report() : undefined;
      // Who has not looked yet is shown the worst.
      if (worst && this.chosen.value === 0 && this.edits.value.length === 0)
        this.chosen.value = Math.max(0, list.records.indexOf(worst));
      told(undefined);
      this.say(`${list.records.length} ${list.records.length === 1 ? 'record' : 'records'} in ${name}`);
    });
  }

  openText(text: string, name = 'pasted', changed = false): Promise<void> {
    return this.open([{ blob: new Blob([text]), name }], changed);
  }

  /** Goes back to an input that was open. @param number of {@link kept} */
  async reopen(number: number): Promise<void> {
    if (number === this.kept.opened.value) return;
    const given = this.kept.again(number);
    if (given) await this.open(given, true);
    else if (number === 0) this.close();
  }

  /** The file that a record is of. */
  partOf(index: number): InputPart | undefined {
    return this.input.value?.parts.findLast(({ first, unread }) => first <= index && unread === undefined);
  }

  close(): void {
    this.#generation++;
    batch(() => {
      this.list = new RecordList();
      this.input.value = undefined;
      this.kept.close();
      this.triage.value = undefined;
      this.edits.value = [];
      this.version.value++;
    });
  }

  choose(index: number): void {
    if (index < 0 || index >= this.list.records.length || index === this.chosen.value) return;
    batch(() => {
      this.chosen.value = index;
      this.edits.value = [];
      this.lit.value = undefined;
    });
  }

  step(step: number): void {
    const rows = this.rows.value;
    if (rows.length === 0) return;
    const at = rows.indexOf(this.chosen.value);
    const next = rows[at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + step))];
    if (next !== undefined) this.choose(next);
  }

  /** The first record that stands at a line of a file. */
  chooseLine(line: number, input: string): void {
    const index = this.list.records.findIndex(({ source }) => source.firstLine === line && source.input === input);
    if (index >= 0) this.choose(index);
  }

  /** The record of what is read that a link is of. @returns whether there is one */
  seek(hash: string): boolean {
    const index = this.list.records.findIndex(record => hashOfRecord(record) === hash);
    if (index >= 0) this.choose(index);
    return index >= 0;
  }

  /** Gives a register of the record another value. */
  set(member: string, value: bigint): void {
    const raw = this.record.value?.raw;
    if (raw === undefined) return;
    this.edits.value = [...this.edits.value, withValue(raw, member, value)].slice(-500);
  }

  setVendor(vendor: 'intel' | 'amd'): void {
    const raw = this.record.value?.raw;
    if (raw?.kind === 'x86-mca' && raw.vendor !== vendor) this.edits.value = [...this.edits.value, { ...raw, vendor }];
  }

  undo(): void {
    this.edits.value = this.edits.value.slice(0, -1);
  }

  reset(): void {
    this.edits.value = [];
  }

  assume<K extends keyof Settings>(consumer: Consumer, setting: K, value: Settings[K] | undefined): void {
    const { [setting]: _, ...rest } = this.assumed.value[consumer] ?? {};
    const known = value === undefined ? rest : { ...rest, [setting]: value };
    this.assumed.value = { ...this.assumed.value, [consumer]: known };
  }

  /** The record as a link; undefined for one that is too long. */
  hash(): string | undefined {
    const record = this.record.value;
    return record && hashOfRecord(record);
  }
}

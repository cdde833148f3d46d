/** @module What the page of records looks at: an input that is read piece by piece, and one record that may be changed. */
import { batch, computed, type ReadonlySignal, signal } from '@preact/signals';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { createDecoder } from '@syndrome/decode/decode/decoder.ts';
import type { DecodedRecord, Diagnostic, RawRecord } from '@syndrome/decode/decode/record.ts';
import { dataOf, recordOf } from '@syndrome/decode/decode/transfer.ts';
import type { Consumer, Settings } from '@syndrome/decode/outlook/context.ts';
import { Triage, type TriageReport } from '@syndrome/decode/triage/triage.ts';
import { withValue } from '../view/edit.ts';
import { unpacked } from './read-trace.ts';
import type { Assumed } from '../view/outlook.ts';
import { hashOfRecord } from '../view/record-link.ts';
import { RecordList } from '../view/record-rows.ts';

/** An input that was read, or is being read. */
export interface Input {
  name: string;
  blob: Blob;
  /** The text of a short one, which can be changed. */
  text: string | undefined;
  form: string;
  why: string;
  /** 0 to 1 while it is read; undefined when it is read. */
  share: number | undefined;
  remarks: { text: string; code: string; line: number | undefined }[];
}

/** How long a slice of work may keep the page from painting, ms. */
const SLICE = 12;
const PIECE = 1 << 15;
/** A longer input is no text to change by hand. */
const SHORT = 8192;
const MAX_REMARKS = 200;

const breathe = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 0));

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

  /** Reads an input, packed or as it is; what was shown before goes. */
  async open(given: Blob, name: string): Promise<void> {
    const generation = ++this.#generation;
    const current = (): boolean => generation === this.#generation;
    // What a page carries is packed; lines are shown out of what is in it.
    const blob = await new Response(await unpacked(given)).blob();
    const text = blob.size <= SHORT ? await blob.text() : undefined;
    const short = text !== undefined && !text.includes('\0') ? text : undefined;
    const list = new RecordList();
    const triage = new Triage();
    const remarks: Input['remarks'] = [];
    let form = '';
    let why = '';
    const told = (share: number | undefined): void => {
      batch(() => {
        this.input.value = { name, blob, text: short, form, why, share, remarks: [...remarks] };
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
      told(0);
    });
    const remark = ({ code, message }: Diagnostic, line: number | undefined): void => {
      if (remarks.length < MAX_REMARKS) remarks.push({ code, text: safeText(message, 400), line });
    };
    const decoder = createDecoder({
      input: name,
      onRecord: record => {
        list.add(record);
        triage.add(record);
        for (const diagnostic of record.diagnostics) remark(diagnostic, record.source.firstLine);
      },
      onDetected: detection => {
        form = detection.form;
        why = safeText(detection.evidence, 300);
      },
      onDiagnostic: (diagnostic, source) => remark(diagnostic, source.firstLine),
    });
    const reader = blob.stream().getReader();
    let read = 0;
    let since = performance.now();
    let shown = since;
    for (;;) {
      const { done, value } = await reader.read();
      if (!current()) return;
      if (done) break;
      for (let from = 0; from < value.length; from += PIECE) {
        decoder.push(value.subarray(from, from + PIECE));
        if (performance.now() - since < SLICE) continue;
        // The list grows a few times a second; more often nobody sees.
        if (performance.now() - shown > 150 || (list.records.length > 0 && this.version.value < 3)) {
          told((read + from) / blob.size);
          shown = performance.now();
        }
        await breathe();
        if (!current()) return;
        since = performance.now();
      }
      read += value.length;
    }
    decoder.end();
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

  openText(text: string, name = 'pasted'): Promise<void> {
    return this.open(new Blob([text]), name);
  }

  close(): void {
    this.#generation++;
    batch(() => {
      this.list = new RecordList();
      this.input.value = undefined;
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

  /** The first record that stands at a line. */
  chooseLine(line: number | undefined): void {
    const index = this.list.records.findIndex(({ source }) => source.firstLine === line);
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

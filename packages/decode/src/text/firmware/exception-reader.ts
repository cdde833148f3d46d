/**
 * @module What firmware says of a machine check that it took itself: EDK II's exception dump (UefiCpuPkg, CpuExceptionHandlerLib),
 * HPE's red screen, and the paravisor OpenHCL, which gives one to its guest.
 */
import type { KindFields } from '../../events/catalog.ts';
import { eventItem } from '../item.ts';
import type { ItemSink } from '../item.ts';
import type { Reader } from '../reader.ts';
import { hexU64 } from '../transport/line.ts';

export const FIRMWARE_NEEDLES: readonly string[] = ['#MC - Machine-Check', 'xception Type 0x12', 'injecting MC gpa=0x'];

/** `!!!! X64 Exception Type - 12(#MC - Machine-Check)  CPU Apic ID - 00000000 !!!!` */
const HEAD =
  /^[^\p{L}`"'/]{0,48}(?:\S{1,32}: {1,4})?[^\p{L}`"'/]{0,16}\b(?:X64|IA32) Exception Type (?:- |0x)12\b ?(?:\(#MC - Machine-Check\)|- Machine-?Check Exception)?(?: {1,4}CPU Apic ID - ([0-9a-f]{1,8}))?/iu;
const RIP = /^\s{0,8}[RE]IP {1,2}- ([0-9A-Fa-f]{8,16})\b/;
const INJECTED = /\binjecting MC gpa=(0x[0-9a-f]{1,16})(?: is_shared=(true|false))?/;
/** Lines between the head of a dump and its instruction pointer: HPE prints others. */
const MAX_LINES = 8;

export class FirmwareExceptionReader implements Reader {
  readonly #sink: ItemSink;
  #open: { fields: KindFields<'firmware-machine-check'>; firstLine: number; lines: number } | undefined;

  constructor(sink: ItemSink) {
    this.#sink = sink;
  }

  /** Registers are lines without a word to look for. */
  get wanted(): boolean {
    return this.#open !== undefined;
  }

  get since(): number {
    return this.#open?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  push(text: string, lineNumber: number): boolean {
    const head = HEAD.exec(text);
    if (head !== null) {
      this.end();
      const apicId = hexU64(head[1]);
      this.#open = { fields: apicId === undefined ? {} : { apicId }, firstLine: lineNumber, lines: 0 };
      return true;
    }
    const injected = INJECTED.exec(text);
    if (injected !== null) {
      const fields: KindFields<'paravisor-machine-check'> = { gpa: hexU64(injected[1]) ?? 0n };
      if (injected[2] !== undefined) fields.shared = injected[2] === 'true';
      this.#sink(eventItem('firmware', lineNumber, { name: 'paravisor-machine-check', fields }));
      return true;
    }
    const open = this.#open;
    if (open === undefined) return false;
    const rip = hexU64(RIP.exec(text)?.[1]);
    if (rip !== undefined) open.fields.rip = rip;
    if (rip !== undefined || ++open.lines >= MAX_LINES) this.#finish(rip === undefined ? open.firstLine : lineNumber);
    return rip !== undefined;
  }

  end(): void {
    if (this.#open !== undefined) this.#finish(this.#open.firstLine);
  }

  #finish(lastLine: number): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    const { fields, firstLine } = open;
    this.#sink({ ...eventItem('firmware', firstLine, { name: 'firmware-machine-check', fields }), lastLine });
  }
}

/**
 * @module PCIe errors as Linux prints them (drivers/pci/pcie/aer.c): a line with device, severity and layer, then status and mask,
 * then a line a bit. The same of a report of firmware (`aer_print_platform_error`), whose severity stands in that report.
 */
import type { KindFields } from '../../events/catalog.ts';
import type { ItemSink } from '../item.ts';
import { MAX_TEXT } from '../patterns.ts';
import { aerEventOf } from '../printed-reports.ts';
import type { KernelPart } from './kernel-part.ts';

/** Driver, and device: `pcieport 0000:00:1c.0: `; `AER: ` since 5.3 in some lines. */
const PREFIX = /^(\S{1,32}) ([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]): (?:AER: ?)?(.*)$/s;
/** Before 4.17 with the id of the requester; `CXL` of devices and ports of CXL since 7.0. */
const ERROR =
  /^ {0,4}(?:PCIe|CXL) Bus Error: severity=(Correct(?:ed|able)|Uncorrect(?:ed|able) \((?:Non-)?Fat[^)]{0,4}\)?)(?:, type=([A-Za-z][A-Za-z ]{2,32}))?(?:,? ?(?:id=[0-9a-f]{4})? ?\(([A-Za-z ]{4,24})\))?\s*$/;
const DEVICE = /^ {0,4}device \[([0-9a-f]{4}:[0-9a-f]{4})\] error status\/mask=([0-9a-f]{8})(?:\/[0-9a-f]{0,8})?\s*$/;
const BIT = /^ {0,8}\[ ?(\d{1,2})\] (\S.{0,40}?)(?: {1,24}\(First\))?\s*$/;
const HEADER = /^ {0,4}TLP Header(?: \([^)]{1,32}\))?: ((?:(?:0x)?[0-9a-f]{1,8} ?){1,16})/;
/** Of a report of firmware: both kinds of status have the same words. */
const STATUS = /^ {0,4}aer_status: (0x[0-9a-f]{8}), aer_mask: 0x[0-9a-f]{8}\s*$/;
const LAYER = /^ {0,4}aer_layer=([A-Za-z ]{3,32}), aer_agent=([A-Za-z ]{3,24}?)\s*$/;
const SEVERITIES = /^ {0,4}aer_uncor_severity: 0x[0-9a-f]{8}\s*$/;
const MAX_FOREIGN = 4;

interface Open {
  device: string;
  name: 'pcie-corrected' | 'pcie-uncorrected' | 'pcie-fatal';
  words: string[];
  header: string | undefined;
  firstLine: number;
  lastLine: number;
  foreign: number;
  /** Its first line, which says how severe it is, is missing: its bits tell. */
  headless?: true;
}
/** Bits of the correctable error status, by all names of theirs; all others are of uncorrectable errors. drivers/pci/pcie/aer.c. */
const CORRECTABLE =
  /^bit \d{1,2} (?:RxErr|BadTLP|BadDLLP|Rollover|Timeout|(?:Adv)?NonFatalErr|CorrIntErr|HeaderOF|Receiver Error|Bad [TD]LLP|Bad TLP|RELAY_NUM Rollover|Replay Timer Timeout|Advisory Non-Fatal)/;
const BIT_WORD = /^bit \d/;
const NOTHING_SAID =
  'the status of a PCIe error stands alone: neither its severity nor its bits are there; no record was made of it';
const NO_SEVERITY = 'the line that says how severe it is is missing';

export class AerLines implements KernelPart {
  readonly #sink: ItemSink;
  /** Whether a report of firmware that is open tells of this device. */
  readonly #reported: (device: string) => boolean;
  #open: Open | undefined;

  constructor(sink: ItemSink, reported: (device: string) => boolean) {
    this.#sink = sink;
    this.#reported = reported;
  }

  /** The first line of what is open; Infinity when nothing is. */
  get since(): number {
    return this.#open?.firstLine ?? Number.POSITIVE_INFINITY;
  }

  /** True while lines may follow that hold no word to look for. */
  get wanted(): boolean {
    return this.#open !== undefined;
  }

  take(text: string, lineNumber: number, firstLine = lineNumber): boolean {
    const m = PREFIX.exec(text);
    if (m === null) return false;
    const [device, said] = [m[2] ?? '', m[3] ?? ''];
    const error = ERROR.exec(said);
    if (error !== null) {
      this.end();
      const severity = error[1] ?? '';
      const words = [error[2], error[3]].filter(word => word !== undefined);
      this.#begin(
        device,
        severity.startsWith('C') ? 'pcie-corrected' : aerEventOf(severity),
        words,
        firstLine,
        lineNumber,
      );
      return true;
    }
    const status = STATUS.exec(said);
    if (status !== null) {
      this.end();
      // The report has a severity, and is an error already.
      if (this.#reported(device)) return true;
      this.#begin(
        device,
        'pcie-corrected',
        [`status ${status[1] ?? ''}, as firmware reported it`],
        firstLine,
        lineNumber,
      );
      return true;
    }
    const open = this.#open;
    if (open !== undefined && open.device === device) return this.#more(open, said, lineNumber);
    if (!DEVICE.test(said)) return false;
    this.end();
    const headless: Open = {
      device,
      name: 'pcie-uncorrected',
      words: [NO_SEVERITY],
      header: undefined,
      firstLine,
      lastLine: lineNumber,
      foreign: 0,
      headless: true,
    };
    this.#open = headless;
    return this.#more(headless, said, lineNumber);
  }

  skipped(lines: number): void {
    if (this.#open === undefined) return;
    this.#open.foreign += lines;
    if (this.#open.foreign > MAX_FOREIGN) this.end();
  }

  end(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    const { device, words, header, firstLine, lastLine } = open;
    const bits = words.filter(word => BIT_WORD.test(word));
    if (open.headless === true && bits.length === 0) {
      const note = { code: 'E_TEXT_INCOMPLETE', message: NOTHING_SAID } as const;
      this.#sink({ type: 'note', form: 'linux', firstLine, lastLine, note });
      return;
    }
    const name = open.headless === true && bits.every(word => CORRECTABLE.test(word)) ? 'pcie-corrected' : open.name;
    const message = words.join(', ').slice(0, MAX_TEXT);
    const fields: KindFields<'pcie-corrected'> = { device, message, ...(header === undefined ? {} : { header }) };
    this.#sink({ type: 'event', form: 'linux', name, fields, firstLine, lastLine });
  }

  #begin(device: string, name: Open['name'], words: string[], firstLine: number, lastLine: number): void {
    this.#open = { device, name, words, header: undefined, firstLine, lastLine, foreign: 0 };
  }

  #more(open: Open, said: string, lineNumber: number): boolean {
    const device = DEVICE.exec(said);
    const bit = BIT.exec(said);
    const layer = LAYER.exec(said);
    const header = HEADER.exec(said);
    if (device !== null) open.words.push(`device [${device[1] ?? ''}], status 0x${device[2] ?? ''}`);
    else if (bit !== null) open.words.push(`bit ${bit[1] ?? ''} ${bit[2] ?? ''}`);
    else if (layer !== null) open.words.push(layer[1] ?? '', layer[2] ?? '');
    else if (header !== null) open.header = (header[1] ?? '').trim();
    // Printed of an uncorrectable error alone.
    else if (SEVERITIES.test(said)) open.name = 'pcie-uncorrected';
    else return false;
    open.lastLine = lineNumber;
    open.foreign = 0;
    return true;
  }
}

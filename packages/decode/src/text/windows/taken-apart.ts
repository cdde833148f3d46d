/**
 * @module The header of a firmware record as DecodeWheaRecord prints it, JSON over lines: it has the severity of all that follows.
 * Source: ralish/DecodeWheaRecord#10, #9.
 */
import type { CperSeverity } from '../../cper/record.ts';

const SIGNATURE = /"Signature" ?: ?"CPER"/;
const RECORD_SEVERITY = /^\s{0,40}"Severity" ?: ?"(Corrected|Fatal|Recoverable|Informational)"/;
const GRADES: Readonly<Record<string, CperSeverity>> = {
  Corrected: 'corrected',
  Fatal: 'fatal',
  Recoverable: 'recoverable',
  Informational: 'none',
};
/** Lines of the header before its severity. */
const HEADER_LINES = 8;

/** What the header says of the record. */
export class TakenApart {
  #lines = 0;
  #isOpen = false;
  #severity: CperSeverity | undefined;

  /** Its severity is still to come, in a line without a word to look for. */
  get wanted(): boolean {
    return this.#isOpen;
  }

  get severity(): CperSeverity | undefined {
    return this.#severity;
  }

  take(text: string): void {
    if (SIGNATURE.test(text)) [this.#isOpen, this.#lines, this.#severity] = [true, 0, undefined];
    if (!this.#isOpen) return;
    this.#severity = GRADES[RECORD_SEVERITY.exec(text)?.[1] ?? ''];
    if (this.#severity !== undefined || ++this.#lines > HEADER_LINES) this.#isOpen = false;
  }
}

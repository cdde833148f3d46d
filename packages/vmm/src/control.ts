import { parseU64 } from '@syndrome/decode/common/hex.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';

/**
 * One line of the control channel: a JSON object with `cmd`, and `gpa` as a 0x string. Whoever may write there has power
 * over the machine; its lines are still checked like any input.
 */
export type ControlRequest =
  /** Where a guest page lies in the host. */
  | { cmd: 'page'; gpa: bigint }
  /** Take a page out of the guest's memory. */
  | { cmd: 'quarantine'; gpa: bigint }
  | { cmd: 'stop' };

export const MAX_CONTROL_LINE = 4096;

/** Parses a control line; a string says what is wrong with it. */
export function parseControl(line: string): ControlRequest | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return `not JSON: ${safeText(line, 120)}`;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not an object';
  const { cmd, gpa } = value as { cmd?: unknown; gpa?: unknown };
  if (cmd === 'stop') return { cmd };
  if (cmd !== 'page' && cmd !== 'quarantine') return 'cmd is page, quarantine or stop';
  const address = typeof gpa === 'string' ? parseU64(gpa) : undefined;
  if (address === undefined) return 'gpa is a 64-bit address as a string, such as "0x0000000040000000"';
  return { cmd, gpa: address };
}

/** Cuts a byte stream into control lines; a line that is too long is dropped up to its end. */
export class ControlLines {
  #rest = '';
  #dropping = false;

  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    for (const [index, part] of Buffer.from(chunk).toString('latin1').split('\n').entries()) {
      if (index > 0) {
        if (!this.#dropping && this.#rest.trim() !== '') lines.push(this.#rest.trim());
        this.#rest = '';
        this.#dropping = false;
      }
      this.#rest += part;
      if (this.#rest.length > MAX_CONTROL_LINE) {
        this.#rest = '';
        this.#dropping = true;
      }
    }
    return lines;
  }
}

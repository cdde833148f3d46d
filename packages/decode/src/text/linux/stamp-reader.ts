/** @module The time stamp and the printk caller in front of a kernel message, out of bytes: the fast way, for the usual forms. */

/** Callers whose names are kept: of each the same string, which costs no memory with every line. */
const MAX_CALLERS = 4096;

export class StampReader {
  /** The printk caller of the stamp that was read last (`T12`, `C3`); empty where it named none. */
  caller = '';
  readonly #callers = new Map<number, string>();

  /** Position behind `[    1.234567] ` and `[    1.234567][    T1] `, `start` when no stamp is there, -1 when unsure. */
  end(bytes: Uint8Array, start: number, end: number): number {
    this.caller = '';
    if (bytes[start] !== 0x5b) return bytes[start] === 0x6d ? start : -1;
    // `[Hardware Error]: ` without a stamp.
    if (bytes[start + 1] === 0x48) return start;
    let at = start + 1;
    while (at < end && bytes[at] === 0x20) at++;
    const digits = at;
    while (at < end && isDigit(bytes[at])) at++;
    if (at === digits || at - digits > 10 || bytes[at] !== 0x2e) return -1;
    at++;
    for (let i = 0; i < 6; i++, at++) if (!isDigit(bytes[at])) return -1;
    // Pages show a blank before the bracket.
    if (bytes[at] === 0x20) at++;
    if (at >= end || bytes[at] !== 0x5d) return -1;
    at++;
    if (bytes[at] === 0x20) at++;
    if (bytes[at] !== 0x5b || bytes[at + 1] === 0x48) return at;
    at++;
    while (at < end && bytes[at] === 0x20) at++;
    const type = bytes[at] ?? 0;
    if (type !== 0x54 && type !== 0x43) return -1;
    at++;
    let id = 0;
    const idAt = at;
    while (at < end && isDigit(bytes[at])) id = id * 10 + (bytes[at++] as number) - 0x30;
    if (at === idAt || at - idAt > 10 || at >= end || bytes[at] !== 0x5d) return -1;
    at++;
    if (bytes[at] === 0x20) at++;
    const key = 2 * id + (type === 0x54 ? 1 : 0);
    let name = this.#callers.get(key);
    if (name === undefined) {
      name = `${type === 0x54 ? 'T' : 'C'}${id}`;
      if (this.#callers.size < MAX_CALLERS) this.#callers.set(key, name);
    }
    this.caller = name;
    return at;
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

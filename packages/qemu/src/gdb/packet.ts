/**
 * Bytes to packets and back: the framing of the GDB remote serial protocol (GDB manual, appendix E, "Overview" and
 * "Interrupts"). A packet is `$` payload `#` two hex digits of checksum, the sum of the bytes between, modulo 256.
 * In the payload `}` escapes the next byte (xor 0x20), and `*` with a count character repeats the byte before it.
 */

/** Bound of one incoming payload, expanded. QEMU's own packets have at most 0x20020 bytes. */
export const DEFAULT_MAX_PACKET_BYTES = 1024 * 1024;

/** Sent outside of any packet: asks a running target to stop. */
export const INTERRUPT: Uint8Array = Uint8Array.of(0x03);

const DOLLAR = 0x24;
const HASH = 0x23;
const STAR = 0x2a;
const PLUS = 0x2b;
const MINUS = 0x2d;
const PERCENT = 0x25;
const ESCAPE = 0x7d;

/** A count character means its code less 29 repeats; 3 (space) to 97 (`~`) are printable. */
const REPEAT_BIAS = 29;

export type Frame =
  | { kind: 'packet'; payload: Uint8Array }
  /** `%…`: told, never acknowledged, and nothing we asked for. */
  | { kind: 'notification'; payload: Uint8Array }
  | { kind: 'ack' }
  | { kind: 'nack' }
  /** A frame that is complete and wrong: checksum, escape or run. The next one may be good. */
  | { kind: 'damaged'; reason: string; of: 'packet' | 'notification' }
  /** Bytes outside of any frame, or a frame cut off by the start of another; counted, not kept. */
  | { kind: 'garbage'; bytes: number }
  /** A packet larger than the bound; the last frame given. */
  | { kind: 'overflow'; reason: string };

/** The frame of a payload. Escapes what must not stand in one; never uses runs. */
export function encodePacket(payload: Uint8Array | string): Uint8Array {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
  const frame: number[] = [DOLLAR];
  let sum = 0;
  const put = (byte: number): void => {
    frame.push(byte);
    sum = (sum + byte) & 0xff;
  };
  for (const byte of bytes) {
    if (byte === DOLLAR || byte === HASH || byte === ESCAPE || byte === STAR) {
      put(ESCAPE);
      put(byte ^ 0x20);
    } else {
      put(byte);
    }
  }
  frame.push(HASH, ...Buffer.from(sum.toString(16).padStart(2, '0'), 'latin1'));
  return Uint8Array.from(frame);
}

type State = 'idle' | 'body' | 'escape' | 'count' | 'sum-high' | 'sum-low';

/** Splits a byte stream into frames with a bound; an `overflow` frame is the last one it gives. */
export class PacketReader {
  readonly #maxBytes: number;
  #state: State = 'idle';
  #notification = false;
  #buffer = new Uint8Array(256);
  #length = 0;
  /** Bytes of the current frame as they came: what an unfinished frame is reported with. */
  #rawLength = 0;
  #sum = 0;
  #wanted = 0;
  #damage: string | undefined;
  #garbage = 0;
  #failed = false;

  constructor(maxBytes: number = DEFAULT_MAX_PACKET_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes held back because their frame has not ended yet. */
  get pendingBytes(): number {
    return this.#state === 'idle' ? 0 : this.#rawLength;
  }

  /** Gives every frame that `chunk` completes. */
  *push(chunk: Uint8Array): Generator<Frame, void, undefined> {
    for (const byte of chunk) {
      if (this.#failed) return;
      if (this.#state === 'idle' && byte !== DOLLAR && byte !== PERCENT && byte !== PLUS && byte !== MINUS) {
        this.#garbage++;
        continue;
      }
      const frame = this.#take(byte);
      if (this.#garbage > 0 && (frame !== undefined || this.#state !== 'idle')) {
        yield { kind: 'garbage', bytes: this.#garbage };
        this.#garbage = 0;
      }
      if (frame !== undefined) yield frame;
    }
    if (this.#garbage > 0) {
      yield { kind: 'garbage', bytes: this.#garbage };
      this.#garbage = 0;
    }
  }

  #take(byte: number): Frame | undefined {
    if (this.#state === 'idle') {
      if (byte === PLUS) return { kind: 'ack' };
      if (byte === MINUS) return { kind: 'nack' };
      this.#begin(byte === PERCENT);
      return undefined;
    }
    this.#rawLength++;
    if (this.#state === 'sum-high') {
      this.#wanted = hexDigit(byte) * 16;
      this.#state = 'sum-low';
      return undefined;
    }
    if (this.#state === 'sum-low') return this.#finish(this.#wanted + hexDigit(byte));
    // A bare `$` cannot stand in a payload: the frame before it was cut off.
    if (byte === DOLLAR) {
      this.#garbage += this.#rawLength - 1;
      this.#begin(false);
      return undefined;
    }
    if (byte === HASH) {
      if (this.#state !== 'body') this.#damage ??= `a payload that ends in ${this.#state}`;
      this.#state = 'sum-high';
      return undefined;
    }
    this.#sum = (this.#sum + byte) & 0xff;
    return this.#bodyByte(byte);
  }

  #bodyByte(byte: number): Frame | undefined {
    switch (this.#state) {
      case 'escape':
        this.#state = 'body';
        return this.#append(byte ^ 0x20, 1);
      case 'count': {
        this.#state = 'body';
        const repeats = byte - REPEAT_BIAS;
        if (repeats < 3 || byte > 0x7e || this.#length === 0) {
          this.#damage ??= 'a run with a bad count or nothing to repeat';
          return undefined;
        }
        return this.#append(this.#buffer[this.#length - 1]!, repeats);
      }
      default:
        if (byte === ESCAPE) this.#state = 'escape';
        else if (byte === STAR) this.#state = 'count';
        else return this.#append(byte, 1);
        return undefined;
    }
  }

  #append(byte: number, times: number): Frame | undefined {
    if (this.#length + times > this.#maxBytes) {
      this.#failed = true;
      this.#buffer = new Uint8Array(0);
      return { kind: 'overflow', reason: `a packet of more than ${this.#maxBytes} bytes` };
    }
    if (this.#length + times > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + times));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.fill(byte, this.#length, this.#length + times);
    this.#length += times;
    return undefined;
  }

  #begin(notification: boolean): void {
    this.#state = 'body';
    this.#notification = notification;
    this.#length = 0;
    this.#rawLength = 1;
    this.#sum = 0;
    this.#damage = undefined;
  }

  #finish(wanted: number): Frame {
    this.#state = 'idle';
    const kind = this.#notification ? 'notification' : 'packet';
    const reason = Number.isNaN(wanted)
      ? 'a checksum that is not two hex digits'
      : wanted !== this.#sum
        ? `a checksum of ${hex2(wanted)} where the bytes sum to ${hex2(this.#sum)}`
        : this.#damage;
    if (reason !== undefined) return { kind: 'damaged', reason, of: kind };
    return { kind, payload: this.#buffer.slice(0, this.#length) };
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}

const hex2 = (value: number): string => value.toString(16).padStart(2, '0');

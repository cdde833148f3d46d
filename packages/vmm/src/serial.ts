import { SharedMutex } from './mutex.ts';
import { UART_RX_WORD, UART_STATE_BYTES, UART_TX_WORD, Uart16550 } from './uart.ts';

/** Register that clears the FIFOs, when written. */
const FIFO_CONTROL = 2;
/** Lock and interrupt level stand before the 16550's own state. */
const HEADER_BYTES = 16;
export const SERIAL_BYTES = HEADER_BYTES + UART_STATE_BYTES;

/** One serial line, used by the vCPU threads (registers) and by the main thread (host's end). */
export class SerialLine {
  readonly #mutex: SharedMutex;
  readonly #level: Int32Array;
  readonly #words: Int32Array;
  readonly #uart: Uart16550;
  readonly #setInterrupt: (level: boolean) => void;

  /** @param setInterrupt drives the line's input of the interrupt controller; called under the lock, on changes only. */
  constructor(buffer: SharedArrayBuffer, setInterrupt: (level: boolean) => void) {
    this.#mutex = new SharedMutex(new Int32Array(buffer, 0, 1));
    this.#level = new Int32Array(buffer, 4, 1);
    this.#words = new Int32Array(buffer, HEADER_BYTES);
    this.#uart = new Uart16550(buffer, HEADER_BYTES);
    this.#setInterrupt = setInterrupt;
  }

  guestRead(register: number): number {
    const value = this.#locked(() => this.#uart.read(register));
    if (register === 0) Atomics.notify(this.#words, UART_RX_WORD);
    return value;
  }

  guestWrite(register: number, value: number): void {
    this.guestWrites(register, [value]);
  }

  /** Several writes of one register, in order. */
  guestWrites(register: number, values: readonly number[]): void {
    this.#locked(() => {
      for (const value of values) this.#uart.write(register, value);
    });
    if (register === 0) Atomics.notify(this.#words, UART_TX_WORD);
    // The FIFO control may have emptied the buffer that the host's end waits for.
    if (register === FIFO_CONTROL) Atomics.notify(this.#words, UART_RX_WORD);
  }

  /** Passes what the guest sends to `write`, one piece at a time, until `write` fails; never returns before. */
  async pumpOutput(write: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    for (;;) {
      const seen = Atomics.load(this.#words, UART_TX_WORD);
      const bytes = this.#locked(() => this.#uart.drain(PIECE_BYTES));
      if (bytes.length > 0) await write(bytes);
      else await changed(this.#words, UART_TX_WORD, seen);
    }
  }

  /** What the guest sent and nobody took yet. */
  rest(): Uint8Array {
    return this.#locked(() => this.#uart.drain(Number.MAX_SAFE_INTEGER));
  }

  /** Gives bytes to the guest, waiting while it does not take them. */
  async input(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const seen = Atomics.load(this.#words, UART_RX_WORD);
      const taken = this.#locked(() => this.#uart.receive(bytes.subarray(at)));
      at += taken;
      if (taken === 0) await changed(this.#words, UART_RX_WORD, seen);
    }
  }

  #locked<T>(work: () => T): T {
    return this.#mutex.run(() => {
      const result = work();
      const level = this.#uart.interrupt() ? 1 : 0;
      if (level !== this.#level[0]) {
        this.#level[0] = level;
        this.#setInterrupt(level === 1);
      }
      return result;
    });
  }
}

const PIECE_BYTES = 4096;

/** Resolves when the word is no longer `seen`. */
async function changed(words: Int32Array, index: number, seen: number): Promise<void> {
  const wait = Atomics.waitAsync(words, index, seen);
  if (wait.async) await wait.value;
}

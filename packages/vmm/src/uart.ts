/**
 * A 16550A as Linux drives it (TL16C550 data sheet; Linux uapi serial_reg.h). Its whole state lies in one Int32Array, so
 * that vCPU threads and the thread with the host's end share it; whoever calls must hold the line's lock. Pure.
 */
import { FCR, IER, LCR, LSR, MCR, MSR } from './uart-registers.ts';

const RX_CAPACITY = 4096;
const TX_CAPACITY = 65536;
/** Room the transmitter promises with LSR.THRE: its FIFO. */
const TX_FIFO = 16;

/** Words of the state, then the two rings, one byte per word element of a Uint8Array behind them. */
const W = {
  DLL: 0,
  DLM: 1,
  IER: 2,
  FCR: 3,
  LCR: 4,
  MCR: 5,
  SCR: 6,
  /** A transmitter interrupt that was not yet read from IIR. */
  THRE_PENDING: 7,
  RX_HEAD: 8,
  RX_TAIL: 9,
  TX_HEAD: 10,
  TX_TAIL: 11,
  COUNT: 16,
} as const;

export const UART_STATE_BYTES = W.COUNT * 4 + RX_CAPACITY + TX_CAPACITY;
/** Word that changes whenever the guest sent a byte. */
export const UART_TX_WORD = W.TX_HEAD;
/** Word that changes whenever the guest took a byte. */
export const UART_RX_WORD = W.RX_TAIL;

/** The bits of some fields of a register of eight bits; of all of them where none is named. */
function bitsOf<const N extends string>({ masks }: { masks: Readonly<Record<N, bigint>> }, ...names: N[]): number {
  const chosen = names.length === 0 ? (Object.keys(masks) as N[]) : names;
  return Number(chosen.reduce((sum, name) => sum | masks[name], 0n));
}

const IER_RX = bitsOf(IER, 'RX');
const IER_TX = bitsOf(IER, 'TX');
const LCR_DLAB = bitsOf(LCR, 'DLAB');
const FCR_ENABLE = bitsOf(FCR, 'ENABLE');
const FCR_CLEAR_RX = bitsOf(FCR, 'CLEAR_RX');
/** What of them is kept: the others are commands that are done. */
const FCR_KEPT = bitsOf(FCR, 'ENABLE', 'DMA_MODE', 'TRIGGER');
const LSR_DATA_READY = bitsOf(LSR, 'DATA_READY');
// What is sent is gone at once.
const LSR_TX_EMPTY = bitsOf(LSR, 'THRE', 'TEMT');
const IER_ALL = bitsOf(IER);
const MCR_ALL = bitsOf(MCR);
const MCR_LOOPBACK = bitsOf(MCR, 'LOOPBACK');
const MSR_CTS_DSR_DCD = bitsOf(MSR, 'CTS', 'DSR', 'DCD');
const IIR_NONE = 0x01;
const IIR_TX = 0x02;
const IIR_RX = 0x04;
const IIR_FIFO = 0xc0;

export class Uart16550 {
  readonly #w: Int32Array;
  readonly #rx: Uint8Array;
  readonly #tx: Uint8Array;

  /** @param buffer at least UART_STATE_BYTES from `offset`, zero-filled for a line after reset. */
  constructor(buffer: ArrayBufferLike, offset = 0) {
    this.#w = new Int32Array(buffer, offset, W.COUNT);
    this.#rx = new Uint8Array(buffer, offset + W.COUNT * 4, RX_CAPACITY);
    this.#tx = new Uint8Array(buffer, offset + W.COUNT * 4 + RX_CAPACITY, TX_CAPACITY);
  }

  /** A guest's read of register 0 to 7. */
  read(register: number): number {
    const dlab = (this.#get(W.LCR) & LCR_DLAB) !== 0;
    switch (register) {
      case 0:
        return dlab ? this.#get(W.DLL) : this.#takeRx();
      case 1:
        return dlab ? this.#get(W.DLM) : this.#get(W.IER);
      case 2:
        return this.#readIir();
      case 3:
        return this.#get(W.LCR);
      case 4:
        return this.#get(W.MCR);
      case 5:
        return (this.#rxCount() > 0 ? LSR_DATA_READY : 0) | (this.#txReady() ? LSR_TX_EMPTY : 0);
      case 6:
        return this.#modemStatus();
      case 7:
        return this.#get(W.SCR);
      default:
        return 0;
    }
  }

  /** A guest's write of register 0 to 7. */
  write(register: number, value: number): void {
    const byte = value & 0xff;
    const dlab = (this.#get(W.LCR) & LCR_DLAB) !== 0;
    switch (register) {
      case 0:
        if (dlab) this.#set(W.DLL, byte);
        else this.#transmit(byte);
        break;
      case 1:
        if (dlab) this.#set(W.DLM, byte);
        else {
          const enabled = byte & ~this.#get(W.IER);
          this.#set(W.IER, byte & IER_ALL);
          // Turning the transmitter interrupt on while nothing waits raises it at once.
          if ((enabled & IER_TX) !== 0) this.#set(W.THRE_PENDING, 1);
        }
        break;
      case 2:
        this.#set(W.FCR, byte & FCR_KEPT);
        if ((byte & FCR_CLEAR_RX) !== 0) this.#set(W.RX_TAIL, this.#get(W.RX_HEAD));
        break;
      case 3:
        this.#set(W.LCR, byte);
        break;
      case 4:
        this.#set(W.MCR, byte & MCR_ALL);
        break;
      case 7:
        this.#set(W.SCR, byte);
        break;
      default: // line and modem status are read-only
    }
  }

  /** Level of the interrupt line. */
  interrupt(): boolean {
    return this.#cause() !== IIR_NONE;
  }

  /** Bytes from the host for the guest; how many there was room for. */
  receive(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, RX_CAPACITY - this.#rxCount());
    const head = this.#get(W.RX_HEAD);
    for (let i = 0; i < count; i++) this.#rx[(head + i) % RX_CAPACITY] = bytes[i] ?? 0;
    this.#set(W.RX_HEAD, wrap(head + count));
    return count;
  }

  /** Takes what the guest sent, up to `max` bytes. */
  drain(max: number): Uint8Array {
    const tail = this.#get(W.TX_TAIL);
    const count = Math.min(max, this.#txCount());
    const out = new Uint8Array(count);
    const wasReady = this.#txReady();
    for (let i = 0; i < count; i++) out[i] = this.#tx[(tail + i) % TX_CAPACITY] ?? 0;
    this.#set(W.TX_TAIL, wrap(tail + count));
    if (!wasReady && this.#txReady()) this.#set(W.THRE_PENDING, 1);
    return out;
  }

  #transmit(byte: number): void {
    if ((this.#get(W.MCR) & MCR_LOOPBACK) !== 0) {
      this.receive(new Uint8Array([byte]));
      return;
    }
    if (this.#txCount() < TX_CAPACITY) {
      const head = this.#get(W.TX_HEAD);
      this.#tx[head % TX_CAPACITY] = byte;
      this.#set(W.TX_HEAD, wrap(head + 1));
    }
    this.#set(W.THRE_PENDING, this.#txReady() ? 1 : 0);
  }

  #takeRx(): number {
    if (this.#rxCount() === 0) return 0;
    const tail = this.#get(W.RX_TAIL);
    this.#set(W.RX_TAIL, wrap(tail + 1));
    return this.#rx[tail % RX_CAPACITY] ?? 0;
  }

  /** The pending interrupt of the highest priority: received data, then transmitter empty. */
  #cause(): number {
    const enabled = this.#get(W.IER);
    if ((enabled & IER_RX) !== 0 && this.#rxCount() > 0) return IIR_RX;
    if ((enabled & IER_TX) !== 0 && this.#get(W.THRE_PENDING) !== 0) return IIR_TX;
    return IIR_NONE;
  }

  #readIir(): number {
    const cause = this.#cause();
    if (cause === IIR_TX) this.#set(W.THRE_PENDING, 0);
    return cause | ((this.#get(W.FCR) & FCR_ENABLE) !== 0 ? IIR_FIFO : 0);
  }

  /** In loopback the modem outputs are the inputs: DTR→DSR, RTS→CTS, OUT1→RI, OUT2→DCD. */
  #modemStatus(): number {
    const mcr = this.#get(W.MCR);
    if ((mcr & MCR_LOOPBACK) === 0) return MSR_CTS_DSR_DCD;
    const { DTR, RTS, OUT1, OUT2 } = MCR.read(BigInt(mcr));
    return Number(MSR.encode({ DSR: DTR, CTS: RTS, RI: OUT1, DCD: OUT2 }));
  }

  #rxCount(): number {
    return wrap(this.#get(W.RX_HEAD) - this.#get(W.RX_TAIL));
  }

  #txCount(): number {
    return wrap(this.#get(W.TX_HEAD) - this.#get(W.TX_TAIL));
  }

  #txReady(): boolean {
    return TX_CAPACITY - this.#txCount() >= TX_FIFO;
  }

  #get(word: number): number {
    return this.#w[word] ?? 0;
  }

  #set(word: number, value: number): void {
    this.#w[word] = value;
  }
}

/** Ring counters run from 0 to 2^30 - 1; both capacities divide that. */
const COUNTERS = 2 ** 30;
const wrap = (counter: number): number => (counter + COUNTERS) % COUNTERS;

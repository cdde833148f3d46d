/** @module Bytes to messages and back. A message is its length (itself included), a header of six words, and a body. Source: libvirt's RPC documentation, "internals/rpc". */
import { LibvirtProtocolError } from './errors.ts';
import { XdrReader, XdrWriter } from './xdr.ts';

/** The longest message that libvirt sends or takes (since 1.1), its length word apart. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

const LENGTH_BYTES = 4;
const HEADER_BYTES = 24;

/** `qemu` is what only the QEMU driver has (libvirt's src/remote/qemu_protocol.x). */
export const PROGRAMS = { remote: 0x2000_8086, qemu: 0x2000_8087, keepalive: 0x6b65_6570 } as const;
export const TYPES = ['call', 'reply', 'message', 'stream', 'call-with-fds', 'reply-with-fds'] as const;
export const STATUSES = ['ok', 'error', 'continue'] as const;

export interface Header {
  program: number;
  version: number;
  procedure: number;
  type: (typeof TYPES)[number];
  /** Of a call and its reply the same; 0 of a message. */
  serial: number;
  status: (typeof STATUSES)[number];
}

export interface Message {
  header: Header;
  body: Uint8Array;
}

/** The bytes of a message. */
export function encodeMessage({ header, body }: Message): Uint8Array {
  const head = new XdrWriter()
    .uint(LENGTH_BYTES + HEADER_BYTES + body.length)
    .uint(header.program)
    .uint(header.version)
    .int(header.procedure)
    .int(TYPES.indexOf(header.type))
    .uint(header.serial)
    .int(STATUSES.indexOf(header.status))
    .bytes();
  return Buffer.concat([head, body]);
}

function decodeMessage(bytes: Uint8Array): Message {
  const reader = new XdrReader(bytes.subarray(0, HEADER_BYTES));
  const [program, version, procedure] = [reader.uint(), reader.uint(), reader.int()];
  const [type, serial, status] = [TYPES[reader.int()], reader.uint(), STATUSES[reader.int()]];
  if (type === undefined || status === undefined)
    throw new LibvirtProtocolError('a message of an unknown type or status');
  return { header: { program, version, procedure, type, serial, status }, body: bytes.subarray(HEADER_BYTES) };
}

/** Splits a byte stream into messages with a bound. After it threw once it must not be used again. */
export class MessageSplitter {
  readonly #maxBytes: number;
  #parts: Uint8Array[] = [];
  #held = 0;
  /** Bytes of the message at the front, its length word included; undefined while that is not there. */
  #wanted: number | undefined;

  constructor(maxBytes: number = MAX_MESSAGE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Gives every message that `chunk` completes. @throws LibvirtProtocolError for a length or a header that cannot be */
  *push(chunk: Uint8Array): Generator<Message, void, undefined> {
    this.#parts.push(chunk);
    this.#held += chunk.length;
    for (;;) {
      if (this.#wanted === undefined) {
        if (this.#held < LENGTH_BYTES) return;
        this.#wanted = this.#length(new XdrReader(this.#front(LENGTH_BYTES)).uint());
      }
      if (this.#held < this.#wanted) return;
      const whole = this.#front(this.#wanted);
      this.#parts = [this.#parts[0]!.subarray(this.#wanted), ...this.#parts.slice(1)];
      this.#held -= this.#wanted;
      this.#wanted = undefined;
      yield decodeMessage(whole.subarray(LENGTH_BYTES));
    }
  }

  #length(length: number): number {
    if (length >= LENGTH_BYTES + HEADER_BYTES && length <= LENGTH_BYTES + this.#maxBytes) return length;
    throw new LibvirtProtocolError(`a message of ${length} bytes, where 28 to ${LENGTH_BYTES + this.#maxBytes} can be`);
  }

  /** The first bytes that are held, in one piece. */
  #front(length: number): Uint8Array {
    if (this.#parts[0]!.length < length) this.#parts = [Buffer.concat(this.#parts)];
    return this.#parts[0]!.subarray(0, length);
  }
}

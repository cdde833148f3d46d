/**
 * The other end of a real unix socket: keeps QEMU's rules (it answers in order, reads nothing while it runs and stops
 * at any byte then) and says exactly what a test tells it to.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodePacket, PacketReader } from '../packet.ts';
import { listening } from './machine.ts';

/** Gives the answer to a request; undefined for none at all. */
export type Answers = (request: string) => string | undefined;

export class Stub {
  readonly socket: net.Socket;
  /** Every request, in order. */
  readonly requests: string[] = [];
  /** Interrupts received; bytes that stopped a running machine and should not have been sent; refusals received. */
  interrupts = 0;
  readonly lost: number[] = [];
  refusals = 0;
  running = false;
  /** How many of the next requests to refuse, as if they had come damaged. */
  refuse = 0;
  answers: Answers;
  /** Called instead of sending an answer; to damage, delay or withhold it. */
  send: (frame: Uint8Array) => void;
  acks = true;
  #reader = new PacketReader();
  #unacknowledged: Uint8Array | undefined;

  constructor(socket: net.Socket, answers: Answers) {
    this.socket = socket;
    this.answers = answers;
    this.send = frame => this.write(frame);
    socket.on('error', () => {}); // the client may be gone first
    socket.on('data', (chunk: Buffer) => {
      for (const byte of chunk) this.#byte(byte);
    });
  }

  write(bytes: Uint8Array | string): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Sends a packet unasked. */
  say(payload: string): void {
    this.#say(payload);
  }

  #say(payload: string): void {
    const frame = encodePacket(payload);
    if (this.acks) this.#unacknowledged = frame;
    this.send(frame);
  }

  #byte(byte: number): void {
    if (this.#unacknowledged !== undefined) {
      const frame = this.#unacknowledged;
      if (byte === 0x2d) {
        this.refusals++;
        this.send(frame);
      }
      if (byte === 0x2b || byte === 0x24) this.#unacknowledged = undefined;
      if (byte !== 0x24) return;
    }
    if (this.running) {
      this.running = false;
      if (byte === 0x03) {
        this.interrupts++;
        this.#say('T02thread:01;');
      } else {
        this.lost.push(byte);
      }
      return;
    }
    for (const frame of this.#reader.push(Uint8Array.of(byte))) {
      if (frame.kind !== 'packet') continue;
      if (this.refuse > 0) {
        this.refuse--;
        this.write('-');
        continue;
      }
      if (this.acks) this.write('+');
      this.#request(Buffer.from(frame.payload).toString('latin1'));
    }
  }

  #request(request: string): void {
    this.requests.push(request);
    const answer = this.answers(request);
    if (request === 'QStartNoAckMode' && answer === 'OK') {
      this.#say(answer);
      this.acks = false;
      this.#unacknowledged = undefined;
    } else if (answer !== undefined) {
      this.#say(answer);
    }
    if (request === 'c' || request === 'vCont;c' || request === 'D') this.running = true;
  }
}

const TARGET =
  '<?xml version="1.0"?><target><architecture>aarch64</architecture><feature name="f">' +
  '<reg name="x0" bitsize="64"/><reg name="x1" bitsize="64"/><reg name="odd" bitsize="12" regnum="9"/></feature></target>';

/** What an ordinary stub answers: one vCPU, three registers, memory that reads as its own address. */
export function ordinary(request: string): string | undefined {
  if (request.startsWith('qSupported')) return 'PacketSize=200;qXfer:features:read+;vContSupported+';
  if (request === '?') return 'T05thread:01;';
  if (request.startsWith('qXfer:features:read:target.xml:')) return slice(TARGET, request);
  if (request === 'qfThreadInfo') return 'm01';
  if (request === 'qsThreadInfo') return 'l';
  if (request === 'p0') return '7766554433221100';
  if (request === 'qC') return 'QC01';
  if (request === 'c' || request === 'vCont;c') return undefined;
  if (/^(Hg|D|M|P|Qqemu\.PhyMemMode)/.test(request)) return 'OK';
  const read = /^m([0-9a-f]+),([0-9a-f]+)$/.exec(request);
  if (read === null) return '';
  const [address, length] = [BigInt(`0x${read[1]}`), Number.parseInt(read[2]!, 16)];
  return Buffer.from(Array.from({ length }, (_, i) => Number((address + BigInt(i)) & 0xffn))).toString('hex');
}

/** The part of a document that a qXfer request asks for. */
export function slice(text: string, request: string): string {
  const [offset, length] = request
    .split(':')
    .at(-1)!
    .split(',')
    .map(n => Number.parseInt(n, 16)) as [number, number];
  return (offset + length < text.length ? 'm' : 'l') + text.slice(offset, offset + length);
}

export type StubServer = {
  path: string;
  /** Our end for GdbClient.attach(), and the stub. */
  pair(answers?: Answers): Promise<{ socket: net.Socket; stub: Stub }>;
  close(): Promise<void>;
};

/** A unix socket server in a temporary directory of its own. */
export async function stubServer(): Promise<StubServer> {
  const dir = await mkdtemp(join(tmpdir(), 'gdb-'));
  const path = join(dir, 'stub.sock');
  const sockets = new Set<net.Socket>();
  const server = net.createServer(socket => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await listening(server, path);
  return {
    path,
    pair: async (answers = ordinary) => {
      const accepted = new Promise<Stub>(resolve => server.once('connection', s => resolve(new Stub(s, answers))));
      const socket = net.connect({ path });
      await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
      return { socket, stub: await accepted };
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

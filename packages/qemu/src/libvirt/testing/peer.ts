/** The other end of a real unix socket, which speaks libvirt's RPC as a test tells it. */
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AUTH_NONE } from '../calls.ts';
import { encodeMessage, type Header, type Message, MessageSplitter, PROGRAMS } from '../framing.ts';
import { XdrWriter } from '../xdr.ts';

const EMPTY = new Uint8Array();

/** What a peer says to a call: a body, an error of libvirt's, or nothing at all. */
type Answer = Uint8Array | { number: number; text: string } | undefined;

export class Peer {
  readonly #socket: net.Socket;
  /** Messages that came and are no calls. */
  readonly messages: Message[] = [];
  /** What it answers; the calls that open a connection are answered already. */
  answers: (header: Header, body: Uint8Array) => Answer = () => EMPTY;
  /** Whether it answers keepalives. */
  lives = true;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    const splitter = new MessageSplitter();
    socket.on('error', () => {}); // the client may be gone first
    socket.on('data', chunk => {
      for (const message of splitter.push(chunk)) this.#takeIn(message);
    });
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Says a message of the remote program, of the callback 1. */
  event(procedure: number, write: (w: XdrWriter) => void): void {
    const w = new XdrWriter().int(1);
    write(w);
    this.#say({ procedure, type: 'message', serial: 0, status: 'ok' }, w.bytes());
  }

  reply(header: Header, answer: Exclude<Answer, undefined>): void {
    const error = answer instanceof Uint8Array ? undefined : answer;
    this.#say(
      {
        program: header.program,
        procedure: header.procedure,
        type: 'reply',
        serial: header.serial,
        status: error ? 'error' : 'ok',
      },
      error === undefined ? (answer as Uint8Array) : errorBody(error),
    );
  }

  ping(): void {
    this.#say({ program: PROGRAMS.keepalive, procedure: 1, type: 'message', serial: 0, status: 'ok' }, EMPTY);
  }

  end(): void {
    this.#socket.end();
  }

  #say(header: Omit<Header, 'program' | 'version'> & { program?: number }, body: Uint8Array): void {
    this.write(encodeMessage({ header: { program: PROGRAMS.remote, version: 1, ...header }, body }));
  }

  #takeIn(message: Message): void {
    const { header, body } = message;
    if (header.type !== 'call') {
      this.messages.push(message);
      if (this.lives && header.program === PROGRAMS.keepalive && header.procedure === 1)
        this.#say({ program: PROGRAMS.keepalive, procedure: 2, type: 'message', serial: 0, status: 'ok' }, EMPTY);
      return;
    }
    const opening = header.program === PROGRAMS.remote ? OPENING[header.procedure] : undefined;
    const answer = opening ?? this.answers(header, body);
    if (answer !== undefined) this.reply(header, answer);
  }
}

/** Authentication: none. The driver opens. Keepalives are known. */
const OPENING: Readonly<Record<number, Uint8Array>> = {
  66: new XdrWriter()
    .array([AUTH_NONE], () => {})
    .int(AUTH_NONE)
    .bytes(),
  1: EMPTY,
  60: new XdrWriter().int(1).bytes(),
};

function errorBody({ number, text }: { number: number; text: string }): Uint8Array {
  const w = new XdrWriter().int(number).int(10);
  w.optional(text, t => w.string(t))
    .int(2)
    .bool(false);
  for (let i = 0; i < 3; i++) w.bool(false);
  return w.int(0).int(0).bool(false).bytes();
}

interface PeerServer {
  path: string;
  /** The next peer that connects. */
  accept(): Promise<Peer>;
  close(): Promise<void>;
}

/** A unix socket server in a temporary directory of its own. */
export async function peerServer(): Promise<PeerServer> {
  const dir = await mkdtemp(join(tmpdir(), 'libvirt-'));
  const path = join(dir, 'sock');
  const sockets = new Set<net.Socket>();
  const peers: Peer[] = [];
  const waiting: ((peer: Peer) => void)[] = [];
  const server = net.createServer(socket => {
    sockets.add(socket);
    const peer = new Peer(socket);
    const next = waiting.shift();
    if (next === undefined) peers.push(peer);
    else next(peer);
  });
  await new Promise<void>(resolve => server.listen(path, resolve));
  return {
    path,
    accept: () => {
      const peer = peers.shift();
      return peer === undefined ? new Promise(resolve => waiting.push(resolve)) : Promise.resolve(peer);
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

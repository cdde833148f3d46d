/** @module The calls that we make: number, arguments, answer. Source: libvirt's remote protocol; a number that is in use never changes. */
import { LibvirtProtocolError } from './errors.ts';
import { PROGRAMS } from './framing.ts';
import { type DomainState, domainState } from './states.ts';
import type { XdrReader, XdrWriter } from './xdr.ts';

/** Bounds of the protocol (REMOTE_STRING_MAX and those of its lists). */
const MAX_STRING = 4 * 1024 * 1024;
const MAX_DOMAINS = 16_384;
const MAX_AUTH_TYPES = 20;
const UUID_BYTES = 16;

/** A domain as every call and event names it. */
export interface Domain {
  name: string;
  /** Lower case, with hyphens. */
  uuid: string;
  /** Of this start of it; -1 while it is shut off. */
  id: number;
}

/** virNodeInfo, the memory in bytes. */
interface NodeInfo {
  model: string;
  memoryBytes: bigint;
  cpus: number;
}

const UUID = /^([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})$/;

function writeUuid(w: XdrWriter, uuid: string): void {
  const digits = UUID.exec(uuid.toLowerCase());
  if (digits === null) throw new RangeError(`'${uuid}' is no UUID`);
  w.opaque(Buffer.from(digits.slice(1).join(''), 'hex'));
}

export function writeDomain(w: XdrWriter, domain: Domain): void {
  w.string(domain.name);
  writeUuid(w, domain.uuid);
  w.int(domain.id);
}

export function readDomain(r: XdrReader): Domain {
  const name = r.string(MAX_STRING);
  const uuid = Buffer.from(r.opaque(UUID_BYTES)).toString('hex').replace(UUID, '$1-$2-$3-$4-$5');
  return { name, uuid, id: r.int() };
}

/** What libvirt says where a call failed: the words that are of use, the rest is read over. */
export function readError(r: XdrReader): { number: number; text: string } {
  const number = r.int();
  r.int(); // the part of libvirt that it comes from
  const text = r.optional(() => r.string(MAX_STRING)) ?? 'no text';
  r.int(); // level
  r.optional(() => readDomain(r));
  for (let i = 0; i < 3; i++) r.optional(() => r.string(MAX_STRING));
  for (let i = 0; i < 2; i++) r.int();
  r.optional(() => [r.string(MAX_STRING), r.opaque(UUID_BYTES)]);
  return { number, text };
}

/** `char model[32]` goes over the wire as 32 signed integers. */
function readNodeInfo(r: XdrReader): NodeInfo {
  const model = Array.from({ length: 32 }, () => r.int() & 0xff);
  const end = model.indexOf(0);
  const memoryBytes = r.uhyper() * 1024n;
  const cpus = r.int();
  for (let i = 0; i < 5; i++) r.int(); // MHz, nodes, sockets, cores, threads
  return { model: Buffer.from(end < 0 ? model : model.slice(0, end)).toString('latin1'), memoryBytes, cpus };
}

function readStates(r: XdrReader): DomainState {
  return domainState(r.int(), r.int());
}

interface Call<A, T> {
  program: number;
  number: number;
  write(w: XdrWriter, args: A): void;
  read(r: XdrReader): T;
}

const nothing = (): void => {};
const call = <A, T>(number: number, write: (w: XdrWriter, args: A) => void, read: (r: XdrReader) => T): Call<A, T> => ({
  program: PROGRAMS.remote,
  number,
  write,
  read,
});

export const CALLS = {
  'auth-list': call<void, number[]>(66, nothing, r => r.array(MAX_AUTH_TYPES, () => r.int())),
  'connect-open': call<{ uri: string; readOnly: boolean }, void>(
    1,
    (w, a) => void w.optional(a.uri, uri => w.string(uri)).uint(a.readOnly ? 1 : 0),
    nothing,
  ),
  'connect-close': call<void, void>(2, nothing, nothing),
  'connect-supports-feature': call<{ feature: number }, boolean>(
    60,
    (w, a) => void w.int(a.feature),
    r => r.int() !== 0,
  ),
  'connect-get-hostname': call<void, string>(59, nothing, r => r.string(MAX_STRING)),
  /** major · 1,000,000 + minor · 1,000 + release. */
  'connect-get-lib-version': call<void, bigint>(157, nothing, r => r.uhyper()),
  'node-get-info': call<void, NodeInfo>(6, nothing, readNodeInfo),
  'node-get-free-memory': call<void, bigint>(102, nothing, r => r.uhyper()),
  'connect-list-all-domains': call<void, Domain[]>(
    273,
    w => void w.int(1).uint(0), // wants the domains, of every kind
    r => {
      const domains = r.array(MAX_DOMAINS, () => readDomain(r));
      const count = r.uint();
      if (count !== domains.length)
        throw new LibvirtProtocolError(`${domains.length} domains that are said to be ${count}`);
      return domains;
    },
  ),
  'domain-lookup-by-uuid': call<{ uuid: string }, Domain>(24, (w, a) => writeUuid(w, a.uuid), readDomain),
  'domain-lookup-by-name': call<{ name: string }, Domain>(23, (w, a) => void w.string(a.name), readDomain),
  'domain-get-state': call<{ domain: Domain }, DomainState>(
    212,
    (w, a) => {
      writeDomain(w, a.domain);
      w.uint(0);
    },
    readStates,
  ),
  'domain-get-xml-desc': call<{ domain: Domain; flags: number }, string>(
    14,
    (w, a) => {
      writeDomain(w, a.domain);
      w.uint(a.flags);
    },
    r => r.string(MAX_STRING),
  ),
  'domain-get-autostart': call<{ domain: Domain }, boolean>(
    15,
    (w, a) => writeDomain(w, a.domain),
    r => r.int() !== 0,
  ),
  'domain-is-persistent': call<{ domain: Domain }, boolean>(
    151,
    (w, a) => writeDomain(w, a.domain),
    r => r.int() !== 0,
  ),
  /** Of all domains; gives the id of the callback. */
  'event-register': call<{ event: number }, number>(
    316,
    (w, a) => void w.int(a.event).optional<Domain>(undefined, d => writeDomain(w, d)),
    r => r.int(),
  ),
  /** A command of QMP to the domain's QEMU, and the whole answer, as JSON. libvirt marks the domain as tainted by it. */
  'domain-monitor-command': {
    ...call<{ domain: Domain; command: string }, string>(
      1,
      (w, a) => {
        writeDomain(w, a.domain);
        w.string(a.command).uint(0);
      },
      r => r.string(MAX_STRING),
    ),
    program: PROGRAMS.qemu,
  },
} as const;

export type CallName = keyof typeof CALLS;
export type CallArgs<C extends CallName> = Parameters<(typeof CALLS)[C]['write']>[1];
export type CallReturn<C extends CallName> = ReturnType<(typeof CALLS)[C]['read']>;

/** virDomainXMLFlags: without run-time parts, and as another libvirt can start it. The second one brings passwords along. */
export const XML_FLAGS = { inactive: 2, migratable: 8 } as const;
/** VIR_DRV_FEATURE_PROGRAM_KEEPALIVE: asking for it lets the daemon ping too. */
export const FEATURE_KEEPALIVE = 10;
/** REMOTE_AUTH_NONE. */
export const AUTH_NONE = 0;

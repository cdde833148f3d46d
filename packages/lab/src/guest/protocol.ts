/**
 * The agent's commands and events as data: arguments, and the fields of replies with their kinds. The C side holds the
 * same table (guest/commands.c, commands[]). A reply that lacks a required field is a protocol error.
 */

export const AGENT_PROTOCOL = 1;

type Kind = 'u64' | 'int' | 'flag';
type KindTypes = { u64: bigint; int: number; flag: boolean };

/** Kinds of fields by name, the same in every reply and event; a field that is not listed is text. */
export const fieldKinds = {
  t: 'u64',
  virt: 'u64',
  phys: 'u64',
  pfn: 'u64',
  kpageflags: 'u64',
  pagemap: 'u64',
  addr: 'u64',
  offset: 'u64',
  word: 'u64',
  found: 'u64',
  expected: 'u64',
  proto: 'int',
  cpus: 'int',
  pid: 'int',
  sender: 'int',
  signo: 'int',
  code: 'int',
  lsb: 'int',
  bytes: 'int',
  pagesize: 'int',
  value: 'int',
  cpu: 'int',
  iterations: 'int',
  signals: 'int',
  count: 'int',
  lines: 'int',
  lost: 'int',
  maps: 'int',
  result: 'int',
  exit: 'int',
  pid1: 'flag',
  present: 'flag',
  intact: 'flag',
  truncated: 'flag',
  newline: 'flag',
  more: 'flag',
  spinning: 'flag',
} as const satisfies Record<string, Kind>;

type FieldType<K extends string> = K extends keyof typeof fieldKinds ? KindTypes[(typeof fieldKinds)[K]] : string;

/** Field values as they came, typed by {@link fieldKinds}. */
export type FieldValue = bigint | number | boolean | string;

type CommandShape = {
  /** Arguments that must, and that may be given. */
  args: readonly string[];
  optional: readonly string[];
  /** Reply fields that must, and that may be there. */
  reply: readonly string[];
  maybe: readonly string[];
  /** Runs in a child of the agent and takes timeout-ms. */
  timed: boolean;
};

const translation = ['present', 'phys', 'pfn', 'kpageflags', 'pagemap', 'physerr'] as const;
const siginfo = ['signo', 'signal', 'code', 'codename', 'addr', 'lsb', 'sender'] as const;
/** `boot` is the kernel's random name of its boot (boot_id), `-` where it has none. */
const identity = ['version', 'proto', 'kernel', 'arch', 'boot', 'cpus', 'pid1'] as const;

export const agentCommands = {
  hello: { args: [], optional: [], reply: identity, maybe: [], timed: false },
  spawn: { args: ['name'], optional: ['kill'], reply: ['proc', 'pid'], maybe: [], timed: false },
  exec: { args: ['name', 'argv'], optional: ['output'], reply: ['proc', 'pid'], maybe: [], timed: false },
  kill: { args: ['proc'], optional: ['signal'], reply: [], maybe: [], timed: false },
  ps: { args: [], optional: [], reply: ['count'], maybe: [], timed: false },
  kmsg: { args: [], optional: ['max'], reply: ['lines', 'more', 'lost'], maybe: [], timed: false },
  reboot: { args: [], optional: ['how'], reply: [], maybe: [], timed: false },
  read: {
    args: ['path'],
    optional: ['max', 'offset'],
    reply: ['bytes', 'truncated', 'newline'],
    maybe: [],
    timed: true,
  },
  copy: { args: ['from', 'to', 'bytes'], optional: [], reply: [], maybe: [], timed: true },
  write: { args: ['path', 'value'], optional: ['offset'], reply: [], maybe: [], timed: true },
  follow: { args: ['path'], optional: [], reply: [], maybe: [], timed: true },
  register: { args: ['path', 'offset'], optional: ['value', 'how'], reply: ['word'], maybe: [], timed: true },
  hwpoison: { args: ['pfn'], optional: ['undo'], reply: [], maybe: [], timed: true },
  insmod: { args: ['path'], optional: ['params'], reply: [], maybe: [], timed: true },
  'check-interval': { args: ['seconds'], optional: [], reply: [], maybe: [], timed: true },
  disk: { args: [], optional: [], reply: [], maybe: [], timed: true },
  sync: { args: [], optional: [], reply: [], maybe: [], timed: true },
  translate: {
    args: ['proc'],
    optional: ['virt', 'id', 'page', 'offset', 'at'],
    reply: ['virt'],
    maybe: translation,
    timed: true,
  },
  map: {
    args: ['proc', 'id'],
    optional: ['pages', 'size', 'kind', 'kill', 'fill', 'node', 'lock'],
    reply: ['virt', 'bytes', 'pagesize', 'pid', 'kill'],
    maybe: translation,
    timed: true,
  },
  unmap: { args: ['proc', 'id'], optional: [], reply: [], maybe: [], timed: true },
  touch: {
    args: ['proc', 'id'],
    optional: ['page', 'offset', 'at', 'write'],
    reply: [],
    maybe: ['virt', 'value', ...siginfo],
    timed: true,
  },
  verify: {
    args: ['proc', 'id'],
    optional: [],
    reply: ['intact', 'bytes'],
    maybe: ['offset', 'found', 'expected', ...siginfo],
    timed: true,
  },
  spin: {
    args: ['proc', 'id'],
    optional: ['page', 'offset', 'at', 'cpu'],
    reply: ['virt', 'cpu'],
    maybe: [],
    timed: true,
  },
  stop: { args: ['proc'], optional: [], reply: ['iterations'], maybe: [], timed: true },
  'on-signal': { args: ['proc', 'action'], optional: ['signal'], reply: ['signals'], maybe: [], timed: true },
  poison: { args: ['proc', 'id'], optional: ['page', 'at', 'how'], reply: ['virt'], maybe: [], timed: true },
  'system-call': {
    args: ['proc', 'id'],
    optional: ['page', 'offset', 'at', 'call'],
    reply: ['result'],
    maybe: ['errno'],
    timed: true,
  },
  'run-vm': {
    args: ['proc', 'id'],
    optional: ['page', 'offset', 'at'],
    reply: ['result', 'exit'],
    maybe: ['errno', 'value', 'addr', 'bytes'],
    timed: true,
  },
  'kill-policy': { args: ['proc', 'kill'], optional: [], reply: [], maybe: [], timed: true },
} as const satisfies Record<string, CommandShape>;

type Commands = typeof agentCommands;
export type AgentCommand = keyof Commands;

/** What an argument may be; bigint goes out as hex, true and false as 1 and 0, bytes as they are. */
export type ArgumentValue = string | number | bigint | boolean | Uint8Array;

export type AgentArguments<C extends AgentCommand> = {
  [K in Commands[C]['args'][number]]: ArgumentValue;
} & {
  [K in Commands[C]['optional'][number]]?: ArgumentValue | undefined;
};

/** A reply: its typed fields, the guest's monotonic time `t` in nanoseconds, and the data lines before it. */
export type AgentReply<C extends AgentCommand> = {
  [K in Commands[C]['reply'][number]]: FieldType<K>;
} & {
  [K in Commands[C]['maybe'][number]]?: FieldType<K>;
} & { t: bigint; data: readonly string[] };

const eventShapes = {
  ready: { reply: identity, maybe: [] },
  signal: { reply: ['proc', 'pid', 'signo', 'signal', 'code', 'codename'], maybe: ['addr', 'lsb', 'sender'] },
  exit: { reply: ['proc', 'pid', 'status'], maybe: ['code', 'signo', 'signal'] },
  spin: { reply: ['proc', 'id', 'ended', 'iterations'], maybe: [] },
  line: { reply: ['path', 'text'], maybe: [] },
  dropped: { reply: ['lines'], maybe: [] },
} as const;

type Events = typeof eventShapes;
export type AgentEventName = keyof Events;

/** An event: `seq` counts the events of this connection from 1. */
export type AgentEvent = {
  [N in AgentEventName]: {
    name: N;
    seq: number;
    t: bigint;
    /** The line as the agent wrote it. */
    raw: string;
    fields: { [K in Events[N]['reply'][number]]: FieldType<K> } & { [K in Events[N]['maybe'][number]]?: FieldType<K> };
  };
}[AgentEventName];

/** Who the agent is: the fields of `ready` and of the reply to `hello`. */
export type AgentIdentity = { [K in (typeof identity)[number]]: FieldType<K> };

/** The fields an event must have; undefined when the event is unknown. */
export function requiredEventFields(name: string): readonly string[] | undefined {
  return Object.hasOwn(eventShapes, name) ? eventShapes[name as AgentEventName].reply : undefined;
}

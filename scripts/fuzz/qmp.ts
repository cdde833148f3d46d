/** Fuzz targets of the room `qmp`: what a peer may send, in any pieces and any order. */
import { UsageError } from '@syndrome/decode/common/errors.ts';
import type { QmpClient } from '@syndrome/qemu/qmp/client.ts';
import { commands, events } from '@syndrome/qemu/qmp/commands.ts';
import { HmpError, QmpNegotiationError, QmpProtocolError } from '@syndrome/qemu/qmp/errors.ts';
import { type Frame, LineSplitter } from '@syndrome/decode/common/line-splitter.ts';
import { hmpErrorOf, hmpFailures } from '@syndrome/qemu/qmp/hmp.ts';
import { parseJson, stringifyJson } from '@syndrome/qemu/qmp/json.ts';
import { mceCommandLine } from '@syndrome/decode/inject/mce-command.ts';
import { parseMemoryFailure, readMceAnswer } from '@syndrome/qemu/qmp/mce.ts';
import { readMessage } from '@syndrome/qemu/qmp/messages.ts';
import { type Incoming, IN_FLIGHT_WINDOW, QmpProtocol } from '@syndrome/qemu/qmp/protocol.ts';
import { compareWithSchema } from '@syndrome/qemu/qmp/testing/schema.ts';
import { type Members, type Shape, departure, memberName } from '@syndrome/qemu/qmp/shapes.ts';
import { gpa2hpa, gva2gpa } from '@syndrome/qemu/qmp/translate.ts';
import { Chance } from '../chance.ts';
import { anyJson, anyNumber, anyText, chunks, image, spoiledJson, spoiledText } from './junk.ts';
import { attempt, attemptLater, differences, errorFaults } from './oracles.ts';
import type { Target } from './target.ts';

const utf8 = new TextEncoder();
const bytesOf = (text: string): Uint8Array => utf8.encode(text);

const GREETING =
  '{"QMP": {"version": {"qemu": {"major": 11, "minor": 1, "micro": 3}, "package": ""}, "capabilities": ["oob"]}}';
const LINES = [
  GREETING,
  '{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "STOP"}',
  '{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "MEMORY_FAILURE", "data": {"recipient": "guest", "action": "inject", "flags": {"action-required": false, "recursive": false}}}',
  '{"return": {"running": true, "status": "running"}, "id": "x-1"}',
  '{"return": 12826251738751172917, "id": "x-2"}',
  '{"id": "x-1", "error": {"class": "GenericError", "desc": "no"}}',
  '{"error": {"class": "GenericError", "desc": "JSON parse error"}}',
];
const WORDS = ['QMP', 'event', 'data', 'timestamp', 'return', 'error', 'id', 'class', 'desc', 'version', 'qemu', 'x-1'];

/** One line of a peer: good, spoiled, or anything. */
function anyMessage(chance: Chance): string {
  const line = chance.pick(LINES);
  switch (chance.below(5)) {
    case 0:
      return line;
    case 1:
      return spoiledText(chance, line, LINES).replaceAll('\n', ' ');
    case 2:
      return JSON.stringify(spoiledJson(chance, JSON.parse(line), WORDS));
    case 3:
      return JSON.stringify(anyJson(chance, WORDS));
    default:
      return '['.repeat(chance.below(chance.oneIn(256) ? 20_000 : 20)) + anyText(chance).replaceAll('\n', '');
  }
}

/** The frames of a stream, by the book: LF ends a line, one CR before it goes, empty lines mean nothing. */
function framesByTheBook(bytes: Uint8Array, most: number): Frame[] {
  const out: Frame[] = [];
  const bad = (line: Uint8Array, reason: string): Frame[] => [
    ...out,
    { kind: 'bad', reason, start: new TextDecoder().decode(line.subarray(0, 512)) },
  ];
  for (let from = 0; from < bytes.length; ) {
    const lf = bytes.indexOf(0x0a, from);
    const line = bytes.subarray(from, lf === -1 ? bytes.length : lf);
    if (line.length > most) return bad(line, `a message of more than ${most} bytes`);
    if (lf === -1) return out;
    from = lf + 1;
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line).replace(/\r$/, '');
    } catch {
      return bad(line, 'a message that is not UTF-8');
    }
    if (text !== '') out.push({ kind: 'line', text });
  }
  return out;
}

const FRAMING: Target = {
  name: 'qmp:framing',
  holds: 'any bytes in any pieces: the lines that the book gives, up to a bound; nothing after a bad one',
  weight: 16,
  open: () => chance => {
    let bytes = chance.bytes(chance.below(200));
    if (!chance.oneIn(3)) {
      const lines = Array.from({ length: chance.below(6) }, () => anyMessage(chance).slice(0, 300));
      bytes = bytesOf(lines.map(l => l + chance.pick(['\n', '\r\n', '\n\n'])).join('') + anyText(chance));
    }
    const most = chance.pick([16, 64, 4096]);
    const splitter = new LineSplitter(most);
    const got = chunks(chance, bytes).flatMap(chunk => [...splitter.push(chunk)]);
    // Of a line that is too long, how much was there when that was seen depends on the pieces.
    const plain = (frames: Frame[]): unknown[] => frames.map(f => (f.kind === 'bad' ? [f.kind, f.reason] : f));
    const wrong = differences('frames', plain(got), plain(framesByTheBook(bytes, most)));
    const last = got.at(-1);
    if (last?.kind === 'bad' && last.start.length > 512) wrong.push(`a start of ${last.start.length} characters`);
    if (splitter.pendingBytes > most || splitter.pendingStart.length > 512) wrong.push('too much is kept');
    return wrong;
  },
};

/** Any value that a command may carry. */
function exact(chance: Chance, depth = 0): unknown {
  switch (chance.below(depth > 3 ? 4 : 7)) {
    case 0:
      return chance.u64() | (1n << 63n);
    case 1:
      return -BigInt(2 ** 53) - BigInt(chance.u32());
    case 2:
      return chance.u32() - 2 ** 31;
    case 3:
      return anyText(chance);
    case 4:
      return chance.pick([null, true, false]);
    case 5:
      return Array.from({ length: chance.below(4) }, () => exact(chance, depth + 1));
    default: {
      const entries = Array.from({ length: chance.below(4) }, () => [anyText(chance), exact(chance, depth + 1)]);
      return Object.fromEntries(entries as [string, unknown][]);
    }
  }
}

const JSON_TARGET: Target = {
  name: 'qmp:json',
  holds: 'JSON: every integer exact both ways, everything else as JSON.parse has it; damage is a SyntaxError',
  weight: 30,
  open: () => chance => {
    const value = exact(chance);
    const text = stringifyJson(value);
    const wrong = differences('written and read', parseJson(text), value);
    const damaged = anyMessage(chance);
    // Too deep for the stack is the one other way to fail; whoever reads lines takes both as no JSON.
    const { value: read, wrong: thrown, error } = attempt(() => parseJson(damaged), [SyntaxError, RangeError]);
    wrong.push(...thrown);
    if (error === undefined) {
      const rounded = image(read).replace(/"-?\d{16,}n"/g, '0');
      const plain = image(JSON.parse(damaged.replace(/(?<=[[{:,]\s*)-?\d{16,}(?=\s*[\]},])|^-?\d{16,}$/g, '0')));
      if (!/\d{16}/.test(damaged)) wrong.push(...differences('as JSON.parse', rounded, plain));
    }
    return wrong;
  },
};

const MESSAGES: Target = {
  name: 'qmp:messages',
  holds: 'one line of a peer: one of five shapes or bad, with nothing in it that the line did not say',
  weight: 40,
  open: () => chance => {
    const line = anyMessage(chance);
    const { message, parsed } = readMessage(line);
    const said = parsed as Record<string, unknown>;
    switch (message.kind) {
      case 'bad':
        return message.reason.length > 0 && message.reason.length < 500 ? [] : [`reason: ${message.reason}`];
      case 'return':
        return [...differences('return', message.value, said['return']), ...differences('id', message.id, said['id'])];
      case 'event':
        return typeof message.event === 'string' && Object.hasOwn(said, 'event') ? [] : ['an event that is none'];
      case 'error':
        return typeof message.class === 'string' && typeof message.desc === 'string' ? [] : ['an error without words'];
      case 'greeting':
        return message.greeting.capabilities.every(c => typeof c === 'string') ? [] : ['capabilities'];
    }
  },
};

/** What can be compared of what the peer said: an error has its words. */
const told = (incoming: Incoming): unknown =>
  incoming.kind === 'failure' ? [incoming.kind, incoming.error.code, incoming.raw] : incoming;

/** A peer that answers what it was asked, late, early, twice or not at all, and says other things in between. */
function conversation(chance: Chance, protocol: QmpProtocol): { bytes: Uint8Array; wrong: string[] } {
  const wrong: string[] = [];
  let out = chance.oneIn(16) ? anyMessage(chance) : GREETING;
  out += '\r\n';
  const ids: { id: string; oob: boolean }[] = [];
  for (let n = chance.below(14); n > 0; n--) {
    const oob = chance.oneIn(5);
    ids.push({ id: protocol.submit(`command-${n}`, chance.oneIn(2) ? { value: exact(chance) } : undefined, oob), oob });
  }
  const sent = protocol.takeSendable();
  for (const { line } of sent) if (!/^[^\n]*\r\n$/.test(line)) wrong.push(`not one line: ${line}`);
  const inBand = sent.filter(s => !ids.find(i => i.id === s.id)?.oob);
  if (inBand.length > IN_FLIGHT_WINDOW) wrong.push(`${inBand.length} commands in flight`);
  if (protocol.takeSendable().length > 0) wrong.push('sent twice');
  for (const { id } of ids) if (chance.oneIn(8)) protocol.abandon(id);
  for (const { id } of chance.shuffled(sent)) {
    if (chance.oneIn(4)) out += `${anyMessage(chance)}\n`;
    if (chance.oneIn(8)) continue;
    const answer = chance.oneIn(5)
      ? { error: { class: 'GenericError', desc: anyText(chance) } }
      : { return: exact(chance) };
    const line = stringifyJson({ ...answer, id: chance.oneIn(16) ? exact(chance) : id });
    out += `${line}\r\n`;
    if (chance.oneIn(8)) out += `${line}\r\n`;
  }
  return { bytes: bytesOf(out + (chance.oneIn(4) ? anyMessage(chance) : '')), wrong };
}

const PROTOCOL: Target = {
  name: 'qmp:protocol',
  holds: 'a peer that answers in any order, twice, or with junk: each command at most once, the same for all pieces',
  weight: 6,
  open: () => chance => {
    const make = (): QmpProtocol => new QmpProtocol({ idPrefix: 'x-', maxLineBytes: 4096 });
    const [one, other] = [make(), make()];
    // The same draws for both: what is asked has to be the same.
    const seed = chance.u32();
    const from = (): Chance => new Chance(seed);
    const { bytes, wrong } = conversation(from(), one);
    conversation(from(), other);
    const read = (protocol: QmpProtocol): Incoming[] =>
      chunks(chance, bytes).flatMap(chunk => [...protocol.receive(chunk)]);
    const got = read(one);
    wrong.push(...differences('other pieces', got.map(told), read(other).map(told)));
    const answered = got.flatMap(g => (g.kind === 'answer' ? [g.id] : []));
    if (new Set(answered).size !== answered.length) wrong.push('answered twice');
    for (const g of got) {
      if (g.kind === 'answer' && g.outcome.ok) {
        wrong.push(...differences('outcome', g.outcome.value, (g.parsed as Record<string, unknown>)['return']));
      }
    }
    const failure = got.findIndex(g => g.kind === 'failure');
    if (failure >= 0) {
      if (failure !== got.length - 1) wrong.push('goes on after its failure');
      const { error } = got[failure] as Incoming & { kind: 'failure' };
      wrong.push(...errorFaults(error, [QmpProtocolError, QmpNegotiationError]));
      if ([...one.receive(bytesOf(`${GREETING}\n`))].length > 0) wrong.push('reads after its failure');
    }
    return wrong;
  },
};

const SHAPES: readonly Shape[] = [
  ...Object.values(commands).map((c): Shape => c.return),
  ...Object.values(events).map((e): Shape => ({ members: e.data })),
];

/** A value that a shape describes. */
function conforming(chance: Chance, shape: Shape): unknown {
  if (shape === 'value') return anyJson(chance);
  if (shape === 'int') return chance.u32();
  if (shape === 'boolean') return chance.oneIn(2);
  if (shape === 'string') return anyText(chance);
  if ('enum' in shape) return chance.oneIn(4) ? anyText(chance) : chance.pick(shape.enum);
  if ('array' in shape) return Array.from({ length: chance.below(4) }, () => conforming(chance, shape.array));
  const entries = Object.entries(shape.members).flatMap(([key, member]): [string, unknown][] => {
    const { name, optional } = memberName(key);
    return optional && chance.oneIn(2) ? [] : [[name, conforming(chance, member)]];
  });
  return Object.fromEntries(entries);
}

const SHAPE: Target = {
  name: 'qmp:shapes',
  holds: 'answers and events: what fits is taken, what does not is named',
  weight: 40,
  open: () => chance => {
    const shape = chance.pick(SHAPES);
    const good = conforming(chance, shape);
    const wrong: string[] = [];
    const found = departure(shape, good);
    if (found !== undefined) wrong.push(`${found}: ${image(good)}`);
    const bad = chance.oneIn(3) ? anyJson(chance) : spoiledJson(chance, good);
    const departed = departure(shape, bad);
    if (departed === '') wrong.push('nothing is said');
    return wrong;
  },
};

type Entity = Record<string, unknown>;

/** A schema that the tables fit, as QEMU would give it. */
function goodSchema(): Entity[] {
  const entities: Entity[] = [];
  let next = 0;
  const add = (entity: Entity): string => {
    const name = String(next++);
    entities.push({ name, ...entity });
    return name;
  };
  const members = (shape: Members): string =>
    add({
      'meta-type': 'object',
      members: Object.entries(shape).map(([key, inner]) => {
        const { name, optional } = memberName(key);
        return { name, type: type(inner), ...(optional ? { default: null } : {}) };
      }),
    });
  const type = (shape: Shape): string => {
    if (typeof shape === 'string') return add({ 'meta-type': 'builtin', 'json-type': shape });
    if ('enum' in shape) return add({ 'meta-type': 'enum', members: shape.enum.map(name => ({ name })) });
    if ('array' in shape) return add({ 'meta-type': 'array', 'element-type': type(shape.array) });
    return members(shape.members);
  };
  for (const [name, c] of Object.entries(commands)) {
    entities.push({ name, 'meta-type': 'command', 'arg-type': members(c.arguments), 'ret-type': type(c.return) });
  }
  for (const [name, e] of Object.entries(events)) {
    entities.push({ name, 'meta-type': 'event', 'arg-type': members(e.data) });
  }
  return entities;
}

const SCHEMA = goodSchema();
const SCHEMA_WORDS = [
  'name',
  'meta-type',
  'members',
  'type',
  'arg-type',
  'ret-type',
  'element-type',
  'object',
  'array',
  '0',
];

const SCHEMA_TARGET: Target = {
  name: 'qmp:schema',
  holds: 'a damaged query-qmp-schema: named disagreements or a protocol error; the whole one has none',
  weight: 1,
  open: () => {
    if (compareWithSchema(SCHEMA).length > 0) throw new Error('the schema made of the tables disagrees with them');
    return chance => {
      const schema = chance.oneIn(8) ? anyJson(chance, SCHEMA_WORDS) : spoiledJson(chance, SCHEMA, SCHEMA_WORDS);
      const { value, wrong } = attempt(() => compareWithSchema(schema), [QmpProtocolError]);
      if ((value?.length ?? 0) > 2000) wrong.push(`${value?.length} disagreements`);
      return wrong;
    };
  },
};

const HMP_TEXTS = [
  'Host physical address for 0x1000 (pc.ram) is 0x1234000\r\n',
  'Host virtual address for 0x1000 (pc.ram) is 0x7f0012340000\r\n',
  'gpa: 0x2000\r\n',
  'Unmapped\r\n',
  'unknown command: "mcee"\r\n',
  'No memory is mapped at address 0x1\r\n',
  'Memory at address 0x1 is not RAM\r\n',
  'CPU 0: MCE capability is not enabled, raising triple faultCPU 1: Previous MCE still in progress, raising triple fault',
  'CPU 0: Uncorrected error reporting disabled for bank 9\r\n',
  'Error: no block device can store vmstate for present snapshot\r\n',
];

const HMP: Target = {
  name: 'qmp:hmp',
  holds:
    'what a monitor prints: translations that fit in 64 bits and stand in the text, or an HmpError with a known code',
  weight: 16,
  open: () => {
    const codes = new Set([...hmpFailures.map(f => f.code), 'E_HMP_UNEXPECTED_OUTPUT']);
    return async chance => {
      const text = spoiledText(chance, chance.pick(HMP_TEXTS), HMP_TEXTS);
      const error = hmpErrorOf('mce 0 9', text);
      const wrong = errorFaults(error, [HmpError]);
      if (!codes.has(error.code)) wrong.push(`code ${error.code}`);
      const client = { hmp: () => Promise.resolve(text) } as unknown as QmpClient;
      const ask = chance.pick([gpa2hpa, gva2gpa]);
      const { value, wrong: thrown } = await attemptLater<bigint | { address: bigint; region: string }>(
        () => ask(client, chance.u64()),
        [HmpError],
      );
      wrong.push(...thrown);
      if (value !== undefined) {
        const address = typeof value === 'bigint' ? value : value.address;
        if (address >> 64n !== 0n || !text.includes(address.toString(16))) wrong.push(`${address} of ${text}`);
      }
      return wrong;
    };
  },
};

const MCE: Target = {
  name: 'qmp:mce',
  holds: 'an injection and its answer: a command line that the monitor reads as it was meant, a result or an HmpError',
  weight: 24,
  open: () => chance => {
    const wide = (): bigint => (chance.oneIn(16) ? -chance.u64() : chance.u64() << (chance.oneIn(16) ? 1n : 0n));
    const mce = {
      cpu: chance.oneIn(8) ? anyNumber(chance) : chance.below(8),
      bank: chance.oneIn(8) ? anyNumber(chance) : chance.below(32),
      status: wide(),
      mcgStatus: wide(),
      addr: wide(),
      misc: wide(),
      broadcast: chance.oneIn(2),
    };
    const { value: line, wrong } = attempt(() => mceCommandLine(mce), [UsageError]);
    if (line !== undefined) {
      const words = line.split(' ').filter(w => w !== 'mce' && w !== '-b');
      const given = [mce.cpu, mce.bank, mce.status, mce.mcgStatus, mce.addr, mce.misc].map(BigInt);
      wrong.push(...differences('command line', words.map(BigInt), given));
    }
    const flags = { 'action-required': chance.oneIn(2), recursive: chance.oneIn(2) };
    const data = { recipient: 'guest', action: chance.pick(['inject', 'ignore', 'fatal', 'reset']), flags };
    const seen = Array.from({ length: chance.below(3) }, () => ({
      event: chance.oneIn(4) ? anyText(chance) : 'MEMORY_FAILURE',
      data: (chance.oneIn(2) ? data : (spoiledJson(chance, data) ?? {})) as Record<string, unknown>,
      timestamp: undefined,
      t: 1n,
    }));
    for (const event of seen) {
      const failure = parseMemoryFailure(event);
      if (failure !== undefined && event.data['action'] !== failure.action) wrong.push('an action that was not told');
    }
    const output = chance.oneIn(3) ? '' : spoiledText(chance, chance.pick(HMP_TEXTS), HMP_TEXTS);
    const expected = 1 + chance.below(3);
    const answer = attempt(() => readMceAnswer('mce 0 9', { value: output, events: seen }, expected), [HmpError]);
    wrong.push(...answer.wrong);
    if (answer.value !== undefined && answer.value.events.length < expected) wrong.push('fewer events than CPUs');
    return wrong;
  },
};

export const QMP: readonly Target[] = [FRAMING, JSON_TARGET, MESSAGES, PROTOCOL, SHAPE, SCHEMA_TARGET, HMP, MCE];

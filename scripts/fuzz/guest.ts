/** Fuzz targets of the room `guest`: what an agent and a console may send, and the files an image is made of. */
import { Duplex } from 'node:stream';
import { AgentClient } from '@syndrome/lab/guest/client.ts';
import { type ConsoleLine, ConsoleReader } from '@syndrome/lab/guest/console.ts';
import { neededLibraries } from '@syndrome/lab/guest/elf.ts';
import { AgentClosedError, AgentError, AgentProtocolError, InitramfsError } from '@syndrome/lab/guest/errors.ts';
import { readNewc } from '@syndrome/lab/guest/testing/read-newc.ts';
import { type CpioEntry, writeNewc } from '@syndrome/lab/guest/newc.ts';
import { type AgentEvent, agentCommands, fieldKinds } from '@syndrome/lab/guest/protocol.ts';
import { WIRE_MAX, percentDecode } from '@syndrome/decode/text/syndrome/agent-events.ts';
import { encodeRequest, parseLine, percentEncode, typeFields } from '@syndrome/lab/guest/wire.ts';
import { vmmExit } from '@syndrome/lab/vmm-ends.ts';
import { agentEvent } from '@syndrome/decode/text/syndrome/agent-events.ts';
import type { Chance } from '../chance.ts';
import { anyNumber, anyText, chunks, spoiledText } from './junk.ts';
import { spoiled } from './inputs.ts';
import { AGENT_WIRE } from './agent-wire.ts';
import { attempt, differences, errorFaults } from './oracles.ts';
import type { Target } from './target.ts';

const EVENTS = [
  'E ready version=1.0.0 proto=1 kernel=7.2.12 arch=x86_64 boot=0b1e cpus=2 pid1=1 t=5',
  'E signal proc=victim pid=94 signo=7 signal=SIGBUS code=4 codename=BUS_MCEERR_AR addr=0x7f0012345000 lsb=12 t=9',
  'E exit proc=victim pid=94 status=signaled signo=7 signal=SIGBUS t=10',
  'E spin proc=victim id=a ended=signal iterations=77 t=11',
  'E dropped lines=3 t=12',
];
const REPLIES = [
  'ok t=7',
  'ok virt=0x7f0012345000 bytes=4096 pagesize=4096 pid=94 kill=early present=1 phys=0x1234000 pfn=0x1234 t=7',
  'ok bytes=12 truncated=0 newline=1 t=7',
  'ok lines=2 more=0 lost=0 t=7',
  'err ENOENT no%20such%20file t=7',
  'err ETIMEDOUT x',
  'ok count=2 t=7',
];
const LINES = [
  ...EVENTS,
  ...REPLIES.map(r => `R 3 ${r}`),
  'D 3 some%20data%0a',
  'C 3 begun',
  'R 0 err EINVAL what t=1',
];

const oneLine = (text: string): string => text.replaceAll('\n', ' ');

function anyLine(chance: Chance): string {
  const line = chance.pick(LINES);
  switch (chance.below(4)) {
    case 0:
      return line;
    case 1:
      return oneLine(spoiledText(chance, line, LINES));
    case 2: {
      const keys = [...Object.keys(fieldKinds), '__proto__', 'constructor', 'proc'];
      const fields = Array.from(
        { length: chance.below(8) },
        () => `${chance.pick(keys)}=${percentEncode(anyText(chance))}`,
      );
      return `${line.split(' ').slice(0, 2).join(' ')} ${fields.join(' ')} t=${chance.below(99)}`;
    }
    default:
      return oneLine(anyText(chance));
  }
}

const WIRE: Target = {
  name: 'guest:wire',
  holds: 'lines of an agent: no line or one with fields that are told once; what is encoded is decoded again',
  weight: 40,
  open: () => chance => {
    const wrong: string[] = [];
    const text = anyText(chance);
    const encoded = percentEncode(text);
    if (!/^[\x21-\x7e]*$/.test(encoded)) wrong.push(`encoded: ${JSON.stringify(encoded)}`);
    wrong.push(
      ...differences(
        'encoded and decoded',
        Buffer.from(percentDecode(encoded)).toString('hex'),
        Buffer.from(text).toString('hex'),
      ),
    );
    const args: [string, string | number | bigint | boolean][] = [
      ['a', text],
      ['b', anyNumber(chance)],
      ['c', chance.oneIn(8) ? -chance.u64() : chance.u64()],
      ['d', chance.oneIn(64) ? 'x'.repeat(WIRE_MAX) : chance.oneIn(2)],
    ];
    // A caller's mistake is a RangeError: this is no wire.
    const request = attempt(() => encodeRequest(chance.below(99), 'read', args), [RangeError]);
    wrong.push(...request.wrong);
    if (request.value !== undefined && !/^[\x20-\x7e]+\n$/.test(request.value))
      wrong.push('a request of several lines');
    const line = anyLine(chance);
    const parsed = parseLine(line);
    if (parsed === undefined || parsed.kind === 'data' || parsed.kind === 'error') return wrong;
    for (const [key, value] of parsed.fields) {
      if (!line.includes(` ${key}=`)) wrong.push(`field ${key} was not told`);
      if (value.length > WIRE_MAX) wrong.push('a field longer than its line');
    }
    const { fields, wrong: missing } = typeFields(parsed.fields, ['pid']);
    if (Object.getPrototypeOf(fields) !== null) wrong.push('fields that inherit');
    for (const [key, value] of Object.entries(fields)) {
      const kind = Object.hasOwn(fieldKinds, key) ? fieldKinds[key as keyof typeof fieldKinds] : undefined;
      const type = kind === undefined ? 'string' : { u64: 'bigint', int: 'number', flag: 'boolean' }[kind];
      if (typeof value !== type) wrong.push(`${key} is a ${typeof value}`);
      if (typeof value === 'number' && !Number.isSafeInteger(value)) wrong.push(`${key} is ${value}`);
    }
    if (missing === undefined && !('pid' in fields && 't' in fields)) wrong.push('a required field is not there');
    return wrong;
  },
};

/** A stream of which the far end is in our hand. */
function stream(onWrite: (text: string) => void): Duplex {
  return new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      onWrite(chunk.toString('latin1'));
      done();
    },
  });
}

const COMMANDS = Object.keys(agentCommands) as (keyof typeof agentCommands)[];

/** Events and diagnostics of a client to which these bytes come. */
function heard(bytes: readonly Uint8Array[]): { events: AgentEvent[]; codes: string[]; lines: number } {
  const [events, codes]: [AgentEvent[], string[]] = [[], []];
  let lines = 0;
  const near = stream(() => {});
  const client = new AgentClient(near, {
    clock: () => 0,
    limits: { eventBurst: 8 },
    onLine: () => lines++,
    onDiagnostic: d => codes.push(`${d.code} ${d.message}`),
  });
  client.onEvent(e => events.push(e));
  for (const chunk of bytes) near.emit('data', Buffer.from(chunk));
  client.close();
  return { events, codes, lines };
}

const HEARD: Target = {
  name: 'guest:events',
  holds:
    'what an agent says unasked, in any pieces: numbered events within the rate, and each says what the lab can write',
  weight: 3,
  open: () => chance => {
    const text = Array.from({ length: chance.below(20) }, () => anyLine(chance) + chance.pick(['\n', '\r\n'])).join('');
    const bytes = Buffer.from(text, 'latin1');
    const one = heard(chunks(chance, bytes));
    const wrong = differences('other pieces', one, heard(chunks(chance, bytes)));
    if (one.events.length > 8) wrong.push('more events than the burst');
    one.events.forEach((event, i) => {
      if (event.seq !== i + 1) wrong.push(`event ${i + 1} has number ${event.seq}`);
      const meant = [
        agentEvent(event.name, event.fields, chance.pick(['guest', 'host'])),
        vmmExit(event, chance.pick([undefined, 0])),
      ];
      for (const { fields } of meant.flatMap(m => m ?? [])) {
        if (Object.values(fields).some(v => v === undefined)) wrong.push(`${event.name}: a field that is undefined`);
      }
    });
    return wrong;
  },
};

const CLIENT: Target = {
  name: 'guest:client',
  holds:
    'calls to an agent that answers late, wrong, twice or never: each ends, with its own answer or an error of the room',
  weight: 2,
  open: () => async chance => {
    const wrong: string[] = [];
    const asked: string[] = [];
    const near = stream(text => void asked.push(...text.split('\n').filter(line => line !== '')));
    const client = new AgentClient(near, { clock: () => 0, limits: { inFlight: 6, dataBytes: 500 } });
    const calls = Array.from({ length: chance.below(8) }, async (_, i) => {
      try {
        // Which arguments a command takes is a matter of types.
        const call = client.call.bind(client) as (
          c: string,
          a: object,
          o: object,
        ) => Promise<{ t: bigint; data: unknown[] }>;
        return await call(chance.pick(COMMANDS), { proc: `p${i}`, id: anyText(chance) }, { deadlineMs: 60_000 });
      } catch (error) {
        wrong.push(...errorFaults(error, [AgentError, AgentProtocolError, AgentClosedError]));
        return undefined;
      }
    });
    const ids = asked.map(line => line.split(' ')[0] ?? '');
    if (new Set(ids).size !== ids.length) wrong.push('an id twice');
    if (ids.length > 6) wrong.push('more calls than may be in flight');
    let said = '';
    const answered = new Map<string, string>();
    for (const id of chance.shuffled(ids)) {
      if (chance.oneIn(3)) said += `${anyLine(chance)}\n`;
      for (let n = chance.below(3); n > 0; n--)
        said += `${chance.pick(['D', 'C'])} ${id} ${percentEncode(anyText(chance))}\n`;
      if (chance.oneIn(6)) continue;
      const t = String(1000 + chance.below(1000));
      const reply = chance.oneIn(3)
        ? oneLine(spoiledText(chance, chance.pick(REPLIES), REPLIES))
        : chance.pick(REPLIES);
      const line = `R ${id} ${reply.replace(/t=\d+$/, `t=${t}`)}\n`;
      said += line;
      if (!answered.has(id)) answered.set(id, t);
      if (chance.oneIn(8)) said += line;
    }
    for (const chunk of chunks(chance, Buffer.from(said, 'latin1'))) near.emit('data', Buffer.from(chunk));
    client.close();
    for (const result of await Promise.all(calls)) {
      if (result === undefined) continue;
      if (typeof result.t !== 'bigint') wrong.push('an answer without its time');
      if (result.data.length > 500) wrong.push('more data than the bound');
    }
    if (!client.closed) wrong.push('still open');
    return wrong;
  },
};

/** What the reader makes of these pieces. @param flush after which of them what is there is asked for */
function read(pieces: readonly Uint8Array[], most: number, flush: (i: number) => boolean): ConsoleLine[] {
  const lines: ConsoleLine[] = [];
  const reader = new ConsoleReader({ onLine: line => lines.push(line), maxLineBytes: most, clock: () => 0 });
  pieces.forEach((piece, i) => {
    reader.push(piece);
    if (flush(i)) reader.flush();
  });
  reader.end();
  return lines;
}

const CONSOLE: Target = {
  name: 'guest:console',
  holds: 'what a guest prints, in any pieces: the same lines, none longer than the bound, parts that make up the whole',
  weight: 16,
  open: () => chance => {
    const parts: Uint8Array[] = Array.from({ length: chance.below(8) }, () =>
      chance.oneIn(3)
        ? chance.bytes(chance.below(40))
        : Buffer.from(anyText(chance) + chance.pick(['\n', '\r\n', '\r\r\n', ''])),
    );
    const bytes = Buffer.concat(parts);
    const most = chance.pick([8, 64, 8192]);
    const whole = read(chunks(chance, bytes), most, () => false);
    const wrong = differences(
      'other pieces',
      whole,
      read(chunks(chance, bytes), most, () => false),
    );
    // One more character says that something was cut.
    for (const line of whole) if (line.text.length > most + 1) wrong.push(`${line.text.length} characters`);
    const ended = [...bytes].filter(b => b === 0x0a).length;
    if (whole.length - ended < 0 || whole.length - ended > 1) wrong.push(`${whole.length} lines, ${ended} line feeds`);
    if (most < bytes.length) return wrong;
    // Taken in parts, a line is the same in the end.
    const taken: string[] = [];
    for (const line of read(chunks(chance, bytes), most, () => chance.oneIn(2))) {
      if (line.continued) taken.push((taken.pop() ?? '') + line.text);
      else taken.push(line.text);
    }
    wrong.push(
      ...differences(
        'taken in parts',
        taken.map(t => t.replace(/\r+$/, '')),
        whole.map(l => l.text.replace(/\r+$/, '')),
      ),
    );
    return wrong;
  },
};

function anyEntry(chance: Chance): CpioEntry {
  const words = ['init', 'dev', 'lib', 'a', 'b', 'ä', 'x'.repeat(40), '..', 'TRAILER!!!', '__proto__'];
  const depth = 1 + chance.below(3);
  const path = Array.from({ length: depth }, () => chance.pick(chance.oneIn(8) ? words : words.slice(0, 7))).join('/');
  const mode = chance.below(0o10000);
  switch (chance.below(5)) {
    case 0:
      return { type: 'directory', path, mode };
    case 1:
      return { type: 'symlink', path, target: chance.pick(['init', '/a/b', '']) };
    case 2:
      return { type: 'character', path, major: chance.below(256), minor: chance.below(256), mode };
    case 3:
      return { type: 'block', path, major: chance.below(256), minor: chance.below(256), mode };
    default:
      return { type: 'file', path, data: chance.bytes(chance.below(40)), mode };
  }
}

const byPath = (entries: readonly CpioEntry[]): Map<string, CpioEntry> => new Map(entries.map(e => [e.path, e]));

const NEWC: Target = {
  name: 'guest:newc',
  holds: 'archives: what was written is read again, with the folders on the way; a damaged one is an InitramfsError',
  weight: 12,
  open: () => chance => {
    const entries = Array.from({ length: chance.below(5) }, () => anyEntry(chance));
    const { value: archive, wrong } = attempt(() => writeNewc(entries), [InitramfsError]);
    if (archive === undefined) return wrong;
    const again = byPath(readNewc(archive));
    for (const entry of entries) wrong.push(...differences(entry.path, again.get(entry.path), entry));
    const damaged = spoiled(chance, archive, [archive]);
    const read = attempt(() => readNewc(damaged), [InitramfsError]);
    wrong.push(...read.wrong);
    if ((read.value?.length ?? 0) * 110 > damaged.length) wrong.push('more entries than bytes');
    return wrong;
  },
};

/** A file with a dynamic section that names libraries. */
function elf(chance: Chance): { file: Buffer; names: string[] } {
  const names = Array.from({ length: chance.below(4) }, (_, i) => `lib${'x'.repeat(chance.below(12))}${i}.so.6`);
  const table = Buffer.from(`\0${names.map(n => `${n}\0`).join('')}`);
  const vaddr = 0x40_0000n;
  const dynamicAt = 64 + 2 * 56;
  const entries: [bigint, bigint][] = [[5n, 0n]];
  let at = 1;
  for (const name of names) {
    entries.push([1n, BigInt(at)]);
    at += name.length + 1;
  }
  entries.push([0n, 0n]);
  const tableAt = dynamicAt + entries.length * 16;
  const first = entries[0];
  if (first !== undefined) first[1] = vaddr + BigInt(tableAt);
  const file = Buffer.alloc(tableAt + table.length);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(2, 56);
  const segment = (index: number, type: number, offset: number, address: bigint, size: number): void => {
    const head = 64 + index * 56;
    file.writeUInt32LE(type, head);
    file.writeBigUInt64LE(BigInt(offset), head + 8);
    file.writeBigUInt64LE(address, head + 16);
    file.writeBigUInt64LE(BigInt(size), head + 32);
  };
  segment(0, 1, 0, vaddr, file.length);
  segment(1, 2, dynamicAt, vaddr + BigInt(dynamicAt), entries.length * 16);
  entries.forEach(([tag, value], i) => {
    file.writeBigUInt64LE(tag, dynamicAt + i * 16);
    file.writeBigUInt64LE(value, dynamicAt + i * 16 + 8);
  });
  table.copy(file, tableAt);
  return { file, names };
}

const ELF: Target = {
  name: 'guest:elf',
  holds: 'programs: the libraries they name; of a damaged one names that stand in it, or an InitramfsError',
  weight: 8,
  open: () => chance => {
    const { file, names } = elf(chance);
    const wrong = differences('libraries', neededLibraries(file), names);
    const damaged = Buffer.from(chance.oneIn(16) ? chance.bytes(chance.below(300)) : spoiled(chance, file, [file]));
    const { value = [], wrong: thrown } = attempt(() => neededLibraries(damaged), [InitramfsError]);
    wrong.push(...thrown);
    for (const name of value) {
      if (!damaged.includes(Buffer.from(`${name}\0`, 'latin1')))
        wrong.push(`${JSON.stringify(name)} does not stand in it`);
      if (name === '' || name.length > 4096) wrong.push(`a name of ${name.length} characters`);
    }
    return wrong;
  },
};

export const GUEST: readonly Target[] = [WIRE, AGENT_WIRE, HEARD, CLIENT, CONSOLE, NEWC, ELF];

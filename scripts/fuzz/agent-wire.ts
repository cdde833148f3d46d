/**
 * Fuzz target of the guest agent's own parser: guest/fuzz/wire-fuzz.c, built by this machine's C compiler with the
 * address and undefined-behaviour sanitizers where it has them.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentCommands } from '@syndrome/lab/guest/protocol.ts';
import { WIRE_MAX } from '@syndrome/decode/text/syndrome/agent-events.ts';
import { encodeRequest, parseLine } from '@syndrome/lab/guest/wire.ts';
import type { Chance } from '../chance.ts';
import { anyText, spoiledText } from './junk.ts';
import { differences } from './oracles.ts';
import type { Step, Target } from './target.ts';

const GUEST_FOLDER = join(import.meta.dirname, '..', '..', 'guest');

/** What the agent's sources are held to, beside what the supply's compiler is told. */
export const WARNINGS = ['-std=gnu17', '-Wall', '-Wextra', '-Wconversion', '-Werror'] as const;

/** The harness and the sources that it is linked with: the wire, and nothing that does something. */
export const HARNESS_SOURCES: readonly string[] = [
  'fuzz/wire-fuzz.c',
  'io.c',
  'line.c',
  'names.c',
  'reader.c',
  'request.c',
].map(name => join(GUEST_FOLDER, name));

const COMPILE_MS = 60_000;
const RUN_MS = 5000;
/** Longest line without its LF: one byte of the agent's buffer stays free. */
const LONGEST = WIRE_MAX - 2;

/** The name of this machine's C compiler, as its users call it; undefined where there is none. */
export function machineCompiler(): string | undefined {
  return ['gcc', 'cc', 'clang'].find(name => spawnSync(name, ['--version'], { timeout: RUN_MS }).status === 0);
}

/** Compiles and links with this machine's compiler. @returns its messages, empty when all is well */
export function compile(compiler: string, args: readonly string[]): string {
  const { status, stderr, error } = spawnSync(compiler, args, { encoding: 'utf8', timeout: COMPILE_MS });
  return status === 0 ? '' : stderr || String(error ?? `exit code ${status}`);
}

type Built = { program: string; sanitized: boolean } | { none: string };
let built: Built | undefined;

function build(): Built {
  const compiler = machineCompiler();
  if (compiler === undefined) return { none: 'this machine has no C compiler (gcc, cc, clang)' };
  const folder = mkdtempSync(join(tmpdir(), 'wire-fuzz-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'wire-fuzz');
  const plain = [...WARNINGS, '-O1', '-g', '-o', program, ...HARNESS_SOURCES];
  const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  if (compile(compiler, [...sanitizers, ...plain]) === '') return { program, sanitized: true };
  const messages = compile(compiler, plain);
  if (messages !== '') throw new Error(`guest/fuzz/wire-fuzz.c could not be built: ${messages}`);
  return { program, sanitized: false };
}

/** A line for the agent, and what has to come of it where that is known. */
interface Sent {
  bytes: Buffer;
  meant?: string;
}

const COMMANDS = Object.keys(agentCommands);
const KEYS = [...new Set(Object.values(agentCommands).flatMap(c => [...c.args, ...c.optional]))];
const TYPICAL = [
  '7 map proc=victim id=page pages=1 size=4k kind=private kill=early timeout-ms=10000',
  '8 touch proc=victim id=page page=2 offset=0x7 write=1',
  '9 write path=/proc/sys/vm/compact_memory value=1%0a',
  '10 exec name=kexec argv=/sbin/kexec%0a-l%0a/vmlinuz',
  '11 spawn name=victim kill=',
  '123456789012345 hello',
];
const HOSTILE = [
  '',
  ' ',
  '0 hello',
  '1',
  '1 ',
  '1 x =',
  '1 x a',
  '1 x a=',
  '1 x a=%',
  '1 x a=%4',
  '1 x a=1 a=2',
  '1 x a=%00b',
];

/** Bytes that no line may hold, beside those that it may. */
const anyBytes = (chance: Chance, length: number): Buffer => Buffer.from(chance.bytes(length));

function request(chance: Chance): Sent | undefined {
  const id = 1 + chance.below(99_999);
  const command = chance.pick(COMMANDS);
  const keys = chance.shuffled(KEYS).slice(0, chance.below(8));
  const args = keys.map((key): [string, string | bigint] => [key, chance.oneIn(3) ? chance.u64() : anyText(chance)]);
  let line: string;
  try {
    line = encodeRequest(id, command, args).slice(0, -1);
  } catch (error) {
    // Longer than the wire.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  const values = args.map(([key, value]) =>
    typeof value === 'bigint'
      ? ` ${key}=${Buffer.from(`0x${value.toString(16)}`).toString('hex')}u${value}`
      : ` ${key}=${Buffer.from(value).toString('hex')}`,
  );
  return { bytes: Buffer.from(line, 'latin1'), meant: `ok ${id} ${command}${values.join('')}` };
}

function anySent(chance: Chance): Sent {
  switch (chance.below(8)) {
    case 0:
    case 1:
    case 2:
      return request(chance) ?? { bytes: Buffer.from(chance.pick(TYPICAL)) };
    case 3:
      return { bytes: Buffer.from(chance.pick(HOSTILE)) };
    case 4:
      return { bytes: anyBytes(chance, chance.below(40)) };
    case 5:
      // More arguments than there is room for, or a line around the longest that fits.
      return chance.oneIn(2)
        ? { bytes: Buffer.from(`1 x ${Array.from({ length: chance.below(40) }, (_, i) => `k${i}=`).join(' ')}`) }
        : { bytes: Buffer.from(`1 x a=${'%00'.repeat(chance.below(3))}`.padEnd(LONGEST - 4 + chance.below(8), 'x')) };
    default:
      return { bytes: Buffer.from(spoiledText(chance, chance.pick(TYPICAL), TYPICAL), 'latin1') };
  }
}

/** What the harness says to these bytes, without the times; or what went wrong. */
function answers(program: string, input: Buffer, piece: number): { lines: string[]; wrong: string[] } {
  const run = spawnSync(program, [String(piece)], { input, timeout: RUN_MS, maxBuffer: 64 << 20 });
  if (run.error !== undefined) return { lines: [], wrong: [`the agent's parser: ${run.error.message}`] };
  if (run.status !== 0)
    return { lines: [], wrong: [`the agent's parser ended with ${run.status ?? run.signal}: ${String(run.stderr)}`] };
  const lines = run.stdout.toString('latin1').split('\n').slice(0, -1);
  return { lines: lines.map(line => line.replace(/^(R .*) t=\d+$/, '$1')), wrong: [] };
}

/** Cases for a built harness: lines in, and what it says of each. */
export function wireCases(program: string): Step {
  return chance => {
    // What holds a line feed is several lines, of which nothing is known but that each is answered.
    const sent = Array.from({ length: 1 + chance.below(40) }, () => anySent(chance)).flatMap(one =>
      one.bytes.includes(0x0a) ? splitLines(one.bytes).map((bytes): Sent => ({ bytes })) : [one],
    );
    const ends = sent.map(() => (chance.oneIn(4) ? '\r\n' : '\n'));
    const input = Buffer.concat(sent.flatMap(({ bytes }, i) => [bytes, Buffer.from(ends[i] ?? '')]));
    const { lines, wrong } = answers(program, input, 1 + chance.below(chance.pick([4, 100, 5000])));
    if (wrong.length > 0) return wrong;
    wrong.push(...differences('other pieces', lines, answers(program, input, 65_536).lines));
    const again: string[] = [];
    let at = 0;
    for (const [i, { bytes, meant }] of sent.entries()) {
      const whole = ends[i] === '\r\n' ? Buffer.concat([bytes, Buffer.from('\r')]) : bytes;
      if (whole.length > LONGEST) {
        if (lines[at++] !== 'long') wrong.push(`a line of ${whole.length} bytes is no long one`);
        continue;
      }
      const line = whole.at(-1) === 0x0d ? whole.subarray(0, -1) : whole;
      const data: Buffer[] = [];
      for (let more = true; more; at++) {
        const parsed = parseLine(lines[at] ?? '');
        if (parsed?.kind !== 'data') return [...wrong, `no data line: ${lines[at]}`];
        data.push(parsed.bytes);
        more = parsed.continued;
      }
      if (!Buffer.concat(data).equals(line)) wrong.push('a text came back as another one');
      const error = parseLine(lines[at++] ?? '');
      if (error?.kind !== 'error' || error.errno !== 'EINVAL') wrong.push(`no error: ${lines[at - 1]}`);
      const answer = lines[at++] ?? '';
      if (
        !/^(?:ok [1-9][0-9]{0,14} [!-~]+(?: [!-~]+=[0-9a-f]*(?:u[0-9]+)?(?:s[0-9]+)?)*|wrong [0-9]+ .+)$/.test(answer)
      )
        wrong.push(`neither a request nor a fault: ${answer}`);
      if (meant !== undefined && withoutGuesses(answer, meant) !== meant)
        wrong.push(...differences('request', answer, meant));
      const encoded = answer
        .slice(3)
        .replace(/=([0-9a-f]*)(?:u[0-9]+)?(?:s[0-9]+)?(?= |$)/g, (_, hex: string) => `=${hex.replace(/../g, '%$&')}`);
      if (answer.startsWith('ok ') && encoded.length <= LONGEST) again.push(answer, encoded);
    }
    if (at !== lines.length) wrong.push(`${lines.length - at} more answers than lines`);
    // What was understood, encoded in another way, is understood as the same.
    const second = answers(program, Buffer.from(again.map((l, i) => (i % 2 === 0 ? '' : `${l}\n`)).join('')), 4096);
    const same = second.lines.filter(l => l.startsWith('ok ') || l.startsWith('wrong '));
    wrong.push(
      ...second.wrong,
      ...differences(
        'encoded again',
        same,
        again.filter((_, i) => i % 2 === 0),
      ),
    );
    return wrong;
  };
}

/** A text may happen to be a number or the name of a signal: that is told behind it. */
function withoutGuesses(answer: string, meant: string): string {
  const told = meant.split(' ');
  return answer
    .split(' ')
    .map((word, i) => {
      const plain = word.replace(/s[0-9]+$/, '');
      return told[i] === plain ? plain : plain.replace(/u[0-9]+$/, '');
    })
    .join(' ');
}

function splitLines(bytes: Buffer): Buffer[] {
  const out: Buffer[] = [];
  let from = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, from)) {
    out.push(bytes.subarray(from, end));
    from = end + 1;
  }
  return [...out, bytes.subarray(from)];
}

export const AGENT_WIRE: Target = {
  name: 'guest:agent-wire',
  holds: 'lines to the agent’s C, in any pieces: one answer each, texts come back whole, requests are the ones sent',
  weight: 1,
  most: 500,
  note: () =>
    built === undefined
      ? undefined
      : 'none' in built
        ? `not tried: ${built.none}`
        : built.sanitized
          ? undefined
          : 'built without sanitizers: the compiler has none',
  open: () => {
    built ??= build();
    return 'none' in built ? () => [] : wireCases(built.program);
  },
};

/** Sources of the agent, without the harness. */
export const agentUnits = (): string[] =>
  readdirSync(GUEST_FOLDER)
    .filter(name => name.endsWith('.c'))
    .map(name => join(GUEST_FOLDER, name));

/** @module A guest of the lab with Debian's rasdaemon in it: takes machine checks, and gives what it printed and stored of them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { mceInjection } from '@syndrome/decode/inject/mce.ts';
import type { AgentClient } from '@syndrome/lab/guest/client.ts';
import { AgentError } from '@syndrome/lab/guest/errors.ts';
import { agentImage, findModules, packProgram } from '@syndrome/lab/machine/images.ts';
import { machineSchema } from '@syndrome/lab/machines/registry.ts';
import { assemble } from '@syndrome/lab/parts.ts';
import type { Session } from '@syndrome/lab/session.ts';
import { startMachine } from '@syndrome/lab/start.ts';
import type { Supply } from '@syndrome/lab/supply/supply.ts';
import { TraceRecorder } from '@syndrome/lab/trace/recorder.ts';
import { injectMce } from '@syndrome/qemu/qmp/mce.ts';
import { TRACE_VERSION } from '@syndrome/trace/event.ts';
import type { RasGuest } from './records.ts';

/** What rasdaemon made of the records of one guest. */
export interface RasRun {
  /** Of the package. */
  version: string;
  kernel: string;
  /** All that it printed. */
  text: string;
  /** Its database, as the file is. */
  database: Uint8Array;
}

const LOG = '/run/rasdaemon.log';
const DATABASE = '/var/lib/rasdaemon/ras-mc_event.db';
const INJECTOR = 'mce-inject';
/** The agent gives no more of a file at once. */
const PIECE = 1 << 20;
const DEADLINE_MS = 280_000;
const LOOK_MS = 100;

/**
 * rasdaemon 0.8 waits 30 s for the file of each tracepoint that the kernel has not (CXL's, the extended log's) before it listens, by
 * access(2). Told that each is there, it finds that it cannot be opened, says that the kernel does not support it, and goes on.
 */
function withoutWait(program: string): Uint8Array {
  const bytes = readFileSync(program);
  const name = bytes.indexOf('\0access\0');
  if (name < 0) throw new Error(`${program} asks for no file by access(2)`);
  // Of a pointer it says that it is no terminal, which is 0.
  bytes.write('isatty', name + 1);
  return bytes;
}

async function readWhole(agent: AgentClient, path: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let offset = 0n; ; ) {
    const piece = await agent.readBytes(path, { max: PIECE, offset, deadlineMs: DEADLINE_MS });
    pieces.push(piece);
    offset += BigInt(piece.length);
    if (piece.length < PIECE) return Buffer.concat(pieces);
  }
}

/** What rasdaemon has printed; nothing before it has begun. */
async function printed({ agent }: Session): Promise<string> {
  try {
    return (await readWhole(agent, LOG)).toString();
  } catch (error) {
    if (error instanceof AgentError && error.errno === 'ENOENT') return '';
    throw error;
  }
}

/** Reads the log until it says so, or throws with its end. */
async function logged(session: Session, what: string, said: (text: string) => boolean): Promise<string> {
  for (const until = Date.now() + DEADLINE_MS; ; await pause(LOOK_MS)) {
    const text = await session.orDie(printed(session), DEADLINE_MS, LOG);
    if (said(text)) return text;
    if (Date.now() > until) throw new Error(`${what}: rasdaemon said last: ${text.slice(-2000)}`);
  }
}

/** Lines of machine checks that are whole. */
const count = (text: string): number => text.split('\n').filter(line => / mce_record 2.*, apicid= /.test(line)).length;

async function inject(session: Session, guest: RasGuest): Promise<void> {
  const { agent } = session;
  if (guest.way === 'qemu') {
    await agent.call('check-interval', { seconds: 1 });
    for (const { broadcast = false, ...registers } of guest.records) {
      await injectMce(session.qmp, mceInjection({ ...registers, cpu: 0, broadcast }));
    }
    return;
  }
  const after = agent.lastSeq;
  const argv = ['/busybox', 'sh', '/inject.sh'].join('\n');
  await agent.call('exec', { name: 'inject', argv, output: '/run/inject.log' });
  const ended = agent.nextEvent(e => e.name === 'exit' && e.fields.proc === 'inject', {
    after,
    deadlineMs: DEADLINE_MS,
  });
  const exit = await session.orDie(ended, DEADLINE_MS, 'the records to be injected');
  if (exit.name === 'exit' && exit.fields.code === 0) return;
  throw new Error(`the injector gave up: ${await agent.readText('/run/inject.log', { max: 4096 })}`);
}

/** One line of /records, see inject.sh. */
const line = ({ bank, status, addr, misc, synd, ipid }: RasGuest['records'][number]): string =>
  `${bank} ${[status, addr, misc, synd, ipid].map(v => `0x${v.toString(16)}`).join(' ')}\n`;

/** Boots the guest, gives it its records, and brings back what rasdaemon says. @throws Error, SupplyError, LabError */
export async function runRasdaemon(guest: RasGuest, supply: Supply, signal: AbortSignal): Promise<RasRun> {
  const { append = '', cpu } = guest;
  const part = await supply.rasdaemon();
  const busybox = await supply.busybox('amd64');
  const machine = machineSchema.parse({ kind: 'linux-guest', cpu, cpus: 1, modules: [INJECTOR], append });
  const assembly = await assemble(machine, { accel: 'tcg' }, { supply, signal });
  const modules = findModules(await supply.kernel({ arch: 'amd64', version: 'newest', modules: true }), [INJECTOR]);
  const folder = mkdtempSync(join(tmpdir(), 'rasdaemon-'));
  const file = (name: string, data: string | Uint8Array): string => {
    writeFileSync(join(folder, name), data);
    return join(folder, name);
  };
  const packed = packProgram({ ...part, program: file('rasdaemon', withoutWait(part.program)) }, 'ras');
  let session: Session | undefined;
  try {
    assembly.files.initrd = await agentImage(supply, 'amd64', [
      ...modules,
      ...packed.files,
      { file: busybox.program, path: 'busybox' },
      // Applets that the shell does not find in itself.
      ...['grep', 'usleep'].map(name => ({ file: busybox.program, path: `usr/bin/${name}` })),
      { file: join(import.meta.dirname, 'inject.sh'), path: 'inject.sh' },
      { file: file('records', guest.records.map(line).join('')), path: 'records' },
      { file: file('keep', ''), path: 'var/lib/rasdaemon/.keep' },
    ]);
    const recorder = new TraceRecorder({
      type: 'trace',
      version: TRACE_VERSION,
      tool: 'differential',
      scenario: guest.name,
      startedAt: new Date().toISOString(),
      layers: ['lab', 'vmm', 'guest', 'process'],
      expect: [],
      settle: 0,
      parts: assembly.parts,
    });
    session = await startMachine(assembly, recorder, signal, { cacheDir: supply.cacheDir, cold: true });
    const argv = [...packed.argv, '--foreground', '--record'].join('\n');
    await session.agent.call('exec', { name: 'rasdaemon', argv, output: LOG });
    await logged(session, 'it does not listen', text => text.includes('Recording mce_record events'));
    await inject(session, guest);
    const wanted = guest.records.reduce((sum, r) => sum + (r.broadcast ? machine.cpus : 1), 0);
    const text = await logged(session, `it did not read ${wanted} records`, said => {
      const rows = said.match(/register inserted at db/g)?.length ?? 0;
      return count(said) >= wanted && rows >= wanted;
    });
    const database = await readWhole(session.agent, DATABASE);
    return { version: part.version, kernel: assembly.parts['kernel'] ?? '', text, database };
  } finally {
    await session?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

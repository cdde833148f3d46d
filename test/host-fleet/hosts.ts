/** Emulated hosts with an agent of the supervisor in them, and the lines between the two. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { rolldown } from 'rolldown';
import type { AgentClient } from '@syndrome/lab/guest/client.ts';
import type { Assembly } from '@syndrome/lab/parts.ts';
import type { Session } from '@syndrome/lab/session.ts';
import { startMachine } from '@syndrome/lab/start.ts';
import { TRACE_VERSION } from '@syndrome/trace/event.ts';
import { TraceRecorder } from '@syndrome/lab/trace/recorder.ts';
import { hostDevice } from '@syndrome/lab/vmms/vmm.ts';
import type { Act } from '@syndrome/supervisor/core/act.ts';
import { messageLine } from '@syndrome/supervisor/wire/messages.ts';

export const NODE = '/node/bin/node';
const PROGRAM = '/run/agent.mjs';
const FOLDER = '/run/agent';
const PACKED = '/run/packed';
const SLOW = { deadlineMs: 120_000 };

/** Starts one, from its kept state where there is one: with the VM in it, or only the host layer. */
export function startHost(
  assembly: Assembly,
  trace: string,
  signal: AbortSignal,
  { cacheDir, hostOnly }: { cacheDir: string; hostOnly: boolean },
): Promise<Session> {
  const recorder = new TraceRecorder(
    {
      type: 'trace',
      version: TRACE_VERSION,
      tool: 'test',
      scenario: 'host-fleet',
      startedAt: new Date().toISOString(),
      layers: [],
      expect: [],
      settle: 0,
      parts: assembly.parts,
    },
    trace,
  );
  return startMachine(assembly, recorder, signal, { cacheDir, ...(hostOnly ? { hostOnly } : {}) });
}

/** The agent as one file: nothing else has to be brought into a host. */
export async function agentProgram(): Promise<string> {
  const bundle = await rolldown({
    input: `${import.meta.dirname}/host-program.ts`,
    platform: 'node',
    logLevel: 'silent',
  });
  try {
    const { output } = await bundle.generate({ format: 'es', codeSplitting: false, minify: true });
    return output[0].code;
  } finally {
    await bundle.close();
  }
}

/** Takes a file, base64 in lines up to a dot, from the line of the host layer, once it has asked for it. */
const FETCH =
  `const f=require('fs'),[,u,p]=process.argv,l=new(require('tty').ReadStream)(f.openSync(u,'r+'));l.setRawMode(true);let t='';
l.on('data',d=>{t+=d;if(t.endsWith('.\\n')){f.writeFileSync(p,Buffer.from(t.slice(0,-2),'base64'));process.exit(0)}});
l.write('send\\n')`.replaceAll('\n', '');
/** Puts the files of a folder into one, by their names; and the other way round. */
const PACK = `const f=require('fs'),p=require('path'),[,d,o]=process.argv,a={};
for(const e of f.readdirSync(d,{recursive:true,withFileTypes:true}))
if(e.isFile())a[p.relative(d,p.join(e.parentPath,e.name))]=f.readFileSync(p.join(e.parentPath,e.name),'base64');
f.writeFileSync(o,require('zlib').gzipSync(JSON.stringify(a)).toString('base64')+'\\n')`.replaceAll('\n', '');
const UNPACK = `const f=require('fs'),p=require('path'),[,d,o]=process.argv;
for(const [n,b] of Object.entries(JSON.parse(require('zlib').gunzipSync(Buffer.from(f.readFileSync(o,'latin1'),'base64')))))
f.mkdirSync(p.dirname(p.join(d,n)),{recursive:true,mode:448}),f.writeFileSync(p.join(d,n),b,{encoding:'base64',mode:384})`.replaceAll(
  '\n',
  '',
);

function lines({ kind: { vmm } }: Session): { uplink: string; stderr: string } {
  if (vmm === undefined) throw new Error('no host layer');
  return { uplink: hostDevice(vmm, 'uplink'), stderr: hostDevice(vmm, 'stderr') };
}

function hostOf({ host }: Session): AgentClient {
  if (host === undefined) throw new Error('no host layer');
  return host;
}

async function exec(session: Session, name: string, argv: readonly string[]): Promise<void> {
  await hostOf(session).call('exec', { name, argv: argv.join('\n'), output: lines(session).stderr }, SLOW);
}

/** Runs a few lines in a host layer, to their end. */
async function script(
  session: Session,
  argv: readonly string[],
  during = async (): Promise<void> => {},
): Promise<void> {
  const host = hostOf(session);
  const after = host.lastSeq;
  await exec(session, 'script', [NODE, '-e', ...argv]);
  await during();
  const ended = await host.nextEvent(e => e.name === 'exit' && e.fields.proc === 'script', { after, ...SLOW });
  if (ended.name !== 'exit' || ended.fields.code !== 0) throw new Error(`a script in the host failed: ${ended.raw}`);
}

/** Brings a file into a host layer, over the line that its agent will use. */
async function bringFile(session: Session, path: string, content: Buffer): Promise<void> {
  const { uplink } = session;
  await script(session, [FETCH, lines(session).uplink, path], async () => {
    await once(uplink, 'data', { signal: AbortSignal.timeout(SLOW.deadlineMs) });
    uplink.write(`${content.toString('base64').replaceAll(/.{1,1000}/g, '$&\n')}.\n`);
  });
}

/** Writes a small file into a host layer, whose own agent makes none. */
export async function writeSmall(session: Session, path: string, value: string): Promise<void> {
  const host = hostOf(session);
  const after = host.lastSeq;
  // The output of a program that is not there: an empty file.
  await host.call('exec', { name: 'file', argv: '/nothing', output: path }, SLOW);
  await host.nextEvent(e => e.name === 'exit' && e.fields.proc === 'file', { after, ...SLOW });
  await host.call('write', { path, value }, SLOW);
}

/** Brings the program of the agent into a host layer. */
export const bring = (session: Session, program: string): Promise<void> =>
  bringFile(session, PROGRAM, Buffer.from(program));

/** What the agent of a host has on its disk. */
export async function diskOf(session: Session): Promise<Buffer> {
  await script(session, [PACK, FOLDER, PACKED]);
  return Buffer.from(await hostOf(session).readText(PACKED, { max: 1 << 20 }));
}

/** The disk of a host that was booted again. */
export async function giveDisk(session: Session, disk: Buffer): Promise<void> {
  await bringFile(session, PACKED, disk);
  await script(session, [UNPACK, FOLDER, PACKED]);
}

/** What the agent of a host has read of files is forgotten: the next one begins at their ends. */
export const forgetPositions = (session: Session): Promise<void> =>
  script(session, [`require('fs').rmSync('${FOLDER}/positions.json',{force:true})`]);

/** The line of an agent, tied to the controller's socket. */
export class Line {
  #isHeld = false;
  readonly #held: Buffer[] = [];
  readonly #line: Socket;
  /** Unties it. */
  readonly end: () => void;

  /** What the agent says goes to the controller, by a connection that is made when it says something. */
  constructor(line: Socket, controller: string) {
    this.#line = line;
    let up: Socket | undefined;
    const take = (chunk: Buffer): void => {
      if (up === undefined) {
        const made = connect(controller);
        up = made;
        made.on('data', (answer: Buffer) => void (this.#isHeld ? this.#held.push(answer) : line.write(answer)));
        made.on('error', () => undefined);
        made.on('close', () => {
          if (up === made) up = undefined;
        });
        line.once('close', () => made.destroy());
      }
      up.write(chunk);
    };
    line.on('data', take);
    this.end = () => {
      line.off('data', take);
      up?.destroy();
    };
  }

  /** Gives the agent an order that the controller knows nothing of. */
  order(act: Act): void {
    this.#line.write(`${messageLine({ type: 'act', act })}\n`);
  }

  /** Keeps back what the controller says, orders among it. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    for (const answer of this.#held.splice(0)) this.#line.write(answer);
  }
}

/** Starts the agent of a host, also once more. Its line has to be tied to a controller, see {@link Line}. */
export async function startAgent(session: Session, host: string, config: object): Promise<void> {
  const whole = { host, folder: FOLDER, controller: lines(session).uplink, ...config };
  const now = String(Date.now());
  await exec(session, 'agent', [NODE, '--max-semi-space-size=1', PROGRAM, JSON.stringify(whole), now]);
}

/** Kills the agent of a host as a crash does. */
export async function killAgent(session: Session): Promise<void> {
  const host = hostOf(session);
  const after = host.lastSeq;
  await host.call('kill', { proc: 'agent', signal: 'SIGKILL' }, SLOW);
  await host.nextEvent(e => e.name === 'exit' && e.fields.proc === 'agent', { after, ...SLOW });
}

/** Emulated arm64 hosts with an agent of the supervisor in them, and the lines between the two. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { rolldown } from 'rolldown';
import type { AgentClient } from '@syndrome/lab/guest/client.ts';
import { machineSchema } from '@syndrome/lab/machines/registry.ts';
import { type Assembly, assemble, type Services } from '@syndrome/lab/parts.ts';
import type { Session } from '@syndrome/lab/session.ts';
import { startMachine } from '@syndrome/lab/start.ts';
import { TRACE_VERSION } from '@syndrome/trace/event.ts';
import { TraceRecorder } from '@syndrome/lab/trace/recorder.ts';
import { VMMS } from '@syndrome/lab/vmms/registry.ts';
import { hostDevice } from '@syndrome/lab/vmms/vmm.ts';

/** Of the VM, on every host alike: what the reference VMM writes, and where it takes requests. */
export const VM_FILES = { events: '/run/vm.ndjson', control: '/run/vm.control' } as const;
const NODE = '/node/bin/node';
const PROGRAM = '/run/agent.mjs';
const UPLINK = hostDevice(VMMS.reference, 'uplink');
const SLOW = { deadlineMs: 120_000 };

/** A machine whose VMM writes and listens where an agent beside it reads and writes; with a line from that agent to us. */
export async function assembleHost(vm: string, services: Services): Promise<Assembly> {
  const spec = machineSchema.parse({
    kind: 'arm64-host',
    cpus: 2,
    vmm: { sea: 'on', quarantine: 'now', maxErrors: 100 },
  });
  const assembly = await assemble(spec, { accel: 'tcg' }, services);
  const { host } = assembly;
  if (host === undefined) throw new Error('an arm64-host has a host layer');
  const own = ['--name', vm, '--events', VM_FILES.events, '--control', VM_FILES.control];
  return { ...assembly, uplink: true, host: { ...host, vmm: [...host.vmm, ...own] } };
}

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
      scenario: 'arm64-fleet',
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
  `const f=require('fs'),l=new(require('tty').ReadStream)(f.openSync('${UPLINK}','r+'));l.setRawMode(true);let t='';
l.on('data',d=>{t+=d;if(t.endsWith('.\\n')){f.writeFileSync('${PROGRAM}',Buffer.from(t.slice(0,-2),'base64'));process.exit(0)}});
l.write('send\\n')`.replaceAll('\n', '');

const exec = async (host: AgentClient, name: string, argv: readonly string[]): Promise<void> => {
  await host.call('exec', { name, argv: argv.join('\n'), output: hostDevice(VMMS.reference, 'stderr') }, SLOW);
};

/** Brings the program into a host layer, over the line that it will use. */
export async function bring(session: Session, program: string): Promise<void> {
  const { host, uplink } = session;
  if (host === undefined) throw new Error('no host layer');
  const after = host.lastSeq;
  await exec(host, 'fetch', [NODE, '-e', FETCH]);
  await once(uplink, 'data', { signal: AbortSignal.timeout(SLOW.deadlineMs) });
  uplink.write(
    `${Buffer.from(program)
      .toString('base64')
      .replaceAll(/.{1,1000}/g, '$&\n')}.\n`,
  );
  const ended = await host.nextEvent(e => e.name === 'exit' && e.fields.proc === 'fetch', { after, ...SLOW });
  if (ended.name !== 'exit' || ended.fields.code !== 0) throw new Error(`the program was not taken: ${ended.raw}`);
}

/** The line of an agent, tied to the controller's socket. */
export class Line {
  #isHeld = false;
  readonly #held: Buffer[] = [];
  readonly #line: Socket;

  /** What the agent says goes to the controller, by a connection that is made when it says something. */
  constructor(line: Socket, controller: string) {
    this.#line = line;
    let up: Socket | undefined;
    line.on('data', (chunk: Buffer) => {
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
    });
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
export async function startAgent({ host }: Session, name: string, vm: string): Promise<void> {
  if (host === undefined) throw new Error('no host layer');
  const config = {
    host: name,
    folder: '/run/agent',
    controller: UPLINK,
    start: { folder: '/run/vms', logs: '/run/logs', programs: [NODE] },
    vmms: [{ vm, name: vm, optedIn: true, ...VM_FILES }],
  };
  const now = String(Date.now());
  await exec(host, 'agent', [NODE, '--max-semi-space-size=1', PROGRAM, JSON.stringify(config), now]);
}

/** Kills the agent of a host as a crash does. */
export async function killAgent({ host }: Session): Promise<void> {
  if (host === undefined) throw new Error('no host layer');
  const after = host.lastSeq;
  await host.call('kill', { proc: 'agent', signal: 'SIGKILL' }, SLOW);
  await host.nextEvent(e => e.name === 'exit' && e.fields.proc === 'agent', { after, ...SLOW });
}

/**
 * `node scripts/bench-fleet.ts [--agents N] [--json]`: what so many agents that are connected cost the memory of one controller, and how
 * long nobody works after the controller that did was killed with -9. Processes of their own, on SQLite and on a PostgreSQL, where there is
 * one. Figures are of this machine at this moment.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PostgresServer, postgresMissing } from '@syndrome/base/store/testing/postgres-server.ts';
import { Peer, World } from '@syndrome/supervisor/controller/testing/peer.ts';
import { commandLine } from './command-line.ts';

const { values } = commandLine({
  options: { agents: { type: 'string', default: '10000' }, json: { type: 'boolean', default: false } },
});
const AGENTS = Number(values.agents);
const MAIN = join(import.meta.dirname, '../packages/cli/src/main.ts');
/** Limits of the design. */
const [LIMIT_MB, LIMIT_S] = [500, 5];
const TAKEOVERS = 5;

interface Row {
  name: string;
  value: number;
  unit: string;
  limit: number;
  met: boolean;
  detail: string;
}
const rows: Row[] = [];

interface Controller {
  child: ChildProcess;
  /** Resolves when it has said that it works. */
  works: Promise<void>;
  /** Resolves when it has said that another one works. */
  waits: Promise<void>;
}

function start(config: string): Controller {
  const child = spawn(process.execPath, [MAIN, 'controller', '--config', config], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = (words: string): Promise<void> =>
    new Promise(resolve => {
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (data: Buffer) => data.includes(words) && resolve());
    });
  return { child, works: said('this controller works now'), waits: said('this one waits') };
}

async function kill({ child }: Controller): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** The site's file, in a folder of its own. */
function siteIn(dir: string, store?: string): string {
  const file = join(dir, 'site.yaml');
  const site = { site: 'bench', folder: join(dir, 'c'), ...(store === undefined ? {} : { store }) };
  writeFileSync(file, JSON.stringify(site), { mode: 0o600 });
  return file;
}

/** Resident memory of a process, MB; `VmHWM` is the most that it ever was. */
const memory = (pid: number, field: 'VmRSS' | 'VmHWM'): number =>
  Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000;

async function connected(dir: string): Promise<void> {
  const controller = start(siteIn(dir));
  try {
    await controller.works;
    const pid = controller.child.pid ?? 0;
    const before = memory(pid, 'VmRSS');
    const world = new World();
    const began = performance.now();
    const peers: Peer[] = [];
    // As hosts come: some at a time.
    for (let from = 0; from < AGENTS; from += 250) {
      const more = Array.from(
        { length: Math.min(250, AGENTS - from) },
        (_, i) => new Peer(world, `host-${from + i}`, join(dir, 'c/run/agents.sock')),
      );
      for (const peer of more) peer.vm(`vm-of-${peer.host}`);
      await Promise.all(more.map(peer => peer.settled()));
      peers.push(...more);
    }
    const seconds = (performance.now() - began) / 1000;
    const value = memory(pid, 'VmHWM');
    const detail = `${memory(pid, 'VmRSS').toFixed(0)} MB at the end, ${before.toFixed(0)} MB before; a VM each, all there after ${seconds.toFixed(0)} s`;
    rows.push({
      name: `${AGENTS} agents connected (at most)`,
      value,
      unit: 'MB',
      limit: LIMIT_MB,
      met: value <= LIMIT_MB,
      detail,
    });
    for (const peer of peers) peer.stop();
  } finally {
    await kill(controller);
  }
}

async function takeover(dir: string, engine: string, store?: string): Promise<void> {
  const config = siteIn(dir, store);
  const taken: number[] = [];
  let [working, waiting] = [start(config), start(config)];
  try {
    for (let i = 0; i < TAKEOVERS; i++) {
      const first = await Promise.race([working.works.then(() => working), waiting.works.then(() => waiting)]);
      if (first === waiting) [working, waiting] = [waiting, working];
      await waiting.waits;
      const began = performance.now();
      await kill(working);
      await waiting.works;
      taken.push((performance.now() - began) / 1000);
      [working, waiting] = [waiting, start(config)];
    }
    const value = Math.max(...taken);
    const detail = `the longest of ${taken.map(s => s.toFixed(1)).join(', ')}`;
    rows.push({
      name: `takeover after kill -9 (${engine})`,
      value,
      unit: 's',
      limit: LIMIT_S,
      met: value <= LIMIT_S,
      detail,
    });
  } finally {
    await kill(working);
    await kill(waiting);
  }
}

async function inFolder(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'syndrome-bench-'));
  try {
    await work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

await inFolder(connected);
await inFolder(dir => takeover(dir, 'SQLite'));
const missing = postgresMissing();
if (missing === undefined) {
  const server = await PostgresServer.make();
  try {
    const url = await server.database('bench');
    await inFolder(dir => takeover(dir, 'PostgreSQL', url));
  } finally {
    await server.remove();
  }
} else console.error(`not measured on a PostgreSQL: ${missing}`);

if (values.json) console.log(JSON.stringify({ schemaVersion: 1, results: rows }));
else {
  for (const { name, value, unit, limit, met, detail } of rows)
    console.log(
      `${name.padEnd(48)} ${value.toFixed(1).padStart(10)} ${unit.padEnd(9)} ${met ? 'met' : 'NOT MET'}: limit ${limit}; ${detail}`,
    );
}

/**
 * `node scripts/bench-fleet.ts [--agents N] [--json]` (`--agents 0`: takeovers alone): what so many agents that are connected cost the memory of one controller, and how
 * long nobody works after the controller that did was killed with -9, on one ledger and on shards. Processes of their own, on SQLite and on a PostgreSQL, where there is
 * one. Figures are of this machine at this moment.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PostgresServer, postgresMissing } from '@syndrome/base/store/testing/postgres-server.ts';
import { ShardSite } from '@syndrome/supervisor/site/testing/shard-site.ts';
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

/** The controller with most shards is killed: until the others work on them, and their hosts, agents over TLS, are connected. */
async function takeoverOfShards(dir: string, store: string): Promise<void> {
  const shards = ['east', 'north', 'south', 'west'];
  const site = await ShardSite.make(dir, store, shards, 3);
  const taken: number[] = [];
  try {
    shards.forEach((shard, i) => site.startAgent(`${shard}-1`, i));
    for (const controller of site.controllers) controller.start();
    for (let i = 0; i < TAKEOVERS; i++) {
      await site.shared(2, 1, 1);
      const works = await site.works();
      const busiest = site.controllers[works.findIndex(of => of.length === 2)];
      const began = performance.now();
      await busiest?.kill();
      await site.shared(2, 2, 0);
      taken.push((performance.now() - began) / 1000);
      busiest?.start();
    }
  } finally {
    await site.stop();
  }
  const value = Math.max(...taken);
  rows.push({
    name: 'takeover of shards, hosts connected (PostgreSQL)',
    value,
    unit: 's',
    limit: LIMIT_S,
    met: value <= LIMIT_S,
    detail: `the longest of ${taken.map(s => s.toFixed(1)).join(', ')}; 3 controllers, 4 shards, the busiest killed with -9`,
  });
}

async function inFolder(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'syndrome-bench-'));
  try {
    await work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

if (AGENTS > 0) await inFolder(connected);
await inFolder(dir => takeover(dir, 'SQLite'));
const missing = postgresMissing();
if (missing === undefined) {
  const server = await PostgresServer.make();
  try {
    const url = await server.database('bench');
    await inFolder(dir => takeover(dir, 'PostgreSQL', url));
    const shards = await server.database('shards');
    await inFolder(dir => takeoverOfShards(dir, shards));
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

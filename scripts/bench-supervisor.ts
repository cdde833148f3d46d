/**
 * `node scripts/bench-supervisor.ts [--events N] [--json]`: how many events a second a controller takes from four agents, durably, and
 * how long one event takes from its agent to the ledger and to the receiver of the notice. The controller is a process of its
 * own, on SQLite in a temporary folder and on a PostgreSQL, where there is one, over its real sockets. Figures are of this machine at this
 * moment.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { insert } from '@syndrome/base/store/insert.ts';
import { takeLease, underLease } from '@syndrome/base/store/lease.ts';
import { migrate } from '@syndrome/base/store/migrate.ts';
import { PostgresServer, postgresMissing } from '@syndrome/base/store/testing/postgres-server.ts';
import { LEASE } from '@syndrome/supervisor/controller/lease-name.ts';
import { SCHEMA } from '@syndrome/supervisor/controller/schema.ts';
import { Peer, World } from '@syndrome/supervisor/controller/testing/peer.ts';
import { newStore } from '@syndrome/supervisor/controller/testing/store.ts';

const json = process.argv.includes('--json');
const asked = process.argv[process.argv.indexOf('--events') + 1];
const EVENTS = process.argv.includes('--events') ? Number(asked) : 100_000;
/** Distinct pages of a host: the others are repeats, as a storm is. */
const PAGES = 500;
/** Events with an incident and a notice of their own each: through a whole controller, and as the rows alone. */
const INCIDENTS = Math.min(EVENTS, 1000);
const ROWS = Math.min(EVENTS, 20_480);
/** Of one transaction: what comes during a commit goes into the next one. */
const BATCH = 256;

/** Limits of the design, where it names one: at least so many a second. What a real agent and a real receiver add is in bench-agent.ts. */
const LIMIT = {
  SQLite: { eventsPerSecond: 10_000, rowsPerSecond: 2000 },
  PostgreSQL: { eventsPerSecond: undefined, rowsPerSecond: 5000 },
} as const;
type Engine = keyof typeof LIMIT;
const rows: { name: string; value: number; unit: string; limit?: number; met?: boolean; detail: string }[] = [];

const perSecond = (name: string, value: number, limit: number | undefined, detail: string): void => {
  const held = limit === undefined ? {} : { limit, met: value >= limit };
  rows.push({ name, value, unit: 'events/s', ...held, detail });
};

async function measure(engine: Engine): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'syndrome-bench-'));
  await (await newStore(dir)).close();
  const script = join(import.meta.dirname, '../packages/supervisor/src/controller/testing/run.ts');
  const child = spawn(process.execPath, [script, dir, '5000'], { stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    const world = new World();
    const peers = ['a', 'b', 'c', 'd'].map(host => new Peer(world, host, join(dir, 'run/agents.sock')));
    /** Seconds from the first of what was held back until all is acknowledged. */
    const taken = async (say: (peer: Peer, i: number) => void, count: number): Promise<number> => {
      await Promise.all(peers.map(peer => peer.settled()));
      for (const peer of peers) peer.hold();
      for (let i = 0; i < count; i++) say(peers[i % peers.length] ?? fail(), i);
      const began = performance.now();
      for (const peer of peers) peer.release();
      await Promise.all(peers.map(peer => peer.settled()));
      return (performance.now() - began) / 1000;
    };
    const seconds = await taken((peer, i) => peer.page(undefined, BigInt((i * 7919) % PAGES)), EVENTS);
    perSecond(
      `events into the ledger (${engine}, durable)`,
      EVENTS / seconds,
      LIMIT[engine].eventsPerSecond,
      `${EVENTS} of 4 agents, ${PAGES} pages each, over unix sockets, decided on`,
    );
    const [a] = peers;
    const durable: number[] = [];
    const told: number[] = [];
    const notices = (): number =>
      existsSync(join(dir, 'told')) ? readFileSync(join(dir, 'told'), 'utf8').split('\n').length : 0;
    for (let i = 0; i < 200; i++) a?.vm(`bench-${i}`);
    await a?.settled();
    for (let i = 0; i < 200; i++) {
      const before = notices();
      const start = performance.now();
      // An incident of its own each, of which the customer is told.
      a?.page(`bench-${i}`, BigInt(1_000_000 + i));
      await a?.settled();
      durable.push(performance.now() - start);
      while (notices() === before && performance.now() - start < 1000) await sleep(1);
      told.push(performance.now() - start);
      await sleep(5);
    }
    const at = (values: number[], share: number): number =>
      values.toSorted((x, y) => x - y)[Math.floor(values.length * share)] ?? NaN;
    for (const [name, values] of [
      [`event → durable and acknowledged (${engine})`, durable],
      [`event → durable → handed to a file (${engine})`, told],
    ] as const) {
      rows.push({
        name,
        value: at(values, 0.99),
        unit: 'ms p99',
        detail: `p50 ${at(values, 0.5).toFixed(1)} ms, ${values.length} one at a time`,
      });
    }
    // Last: to tell all of them takes longer than to write them.
    for (let i = 0; i < INCIDENTS; i++) peers[i % peers.length]?.vm(`many-${i}`);
    const each = await taken((peer, i) => peer.page(`many-${i}`, BigInt(2_000_000 + i)), INCIDENTS);
    perSecond(
      `events with an incident each (${engine}, durable)`,
      INCIDENTS / each,
      undefined,
      `${INCIDENTS} of 4 agents, through the whole controller, while it tells of them`,
    );
    for (const peer of peers) peer.stop();
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The rows that a journal writes of an event, its incident and its notice, under the lease, by the store alone. */
async function ingest(engine: Engine): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'syndrome-bench-'));
  const store = await newStore(dir);
  try {
    await migrate(store, SCHEMA);
    const lease = (await takeLease(store, LEASE, 'bench', 60_000)) ?? fail();
    const body = JSON.stringify({ text: 'x'.repeat(300) });
    const began = performance.now();
    for (let from = 1; from <= ROWS - BATCH + 1; from += BATCH) {
      const numbers = Array.from({ length: BATCH }, (_, i) => from + i);
      await store.transaction(async query => {
        await underLease(store, query, lease, 60_000);
        const inputs = numbers.map(n => [n, n, 'row', 'h', 's', n, body]);
        await insert(query, 'input(seq, at, kind, host, spool, "row", body)', inputs);
        const decisions = numbers.map(n => [n, n, `inc-${n}`, 'h', `v-${n}`, body]);
        await insert(query, 'decision(number, seq, incident, host, vm, body)', decisions);
        const notices = numbers.map(n => [`n-${n}`, 'one', n, `inc-${n}`, 'waiting', 0, n, body]);
        await insert(query, 'outbox(id, target, seq, incident, state, attempts, due, body)', notices);
      });
    }
    perSecond(
      `event + incident + outbox (${engine}, durable)`,
      ROWS / ((performance.now() - began) / 1000),
      LIMIT[engine].rowsPerSecond,
      `${ROWS}, ${BATCH} a transaction, under the lease, by the store alone`,
    );
  } finally {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

function fail(): never {
  throw new Error('neither agent nor lease');
}

await measure('SQLite');
await ingest('SQLite');
const missing = postgresMissing();
if (missing === undefined) {
  const server = await PostgresServer.make();
  process.env['SYNDROME_TEST_POSTGRES'] = server.url('{}');
  try {
    await measure('PostgreSQL');
    await ingest('PostgreSQL');
  } finally {
    await server.remove();
  }
} else console.error(`not measured on a PostgreSQL: ${missing}`);

if (json) console.log(JSON.stringify({ schemaVersion: 1, results: rows }));
else {
  for (const { name, value, unit, limit, met, detail } of rows) {
    const shown = value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
    const held = limit === undefined ? '' : `${met === true ? 'met' : 'NOT MET'}: limit ${limit}; `;
    console.log(`${name.padEnd(48)} ${shown.padStart(10)} ${unit.padEnd(9)} ${held}${detail}`);
  }
}

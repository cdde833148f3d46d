/**
 * `node scripts/bench-supervisor.ts [--events N] [--json]`: how many events a second a controller takes from four agents, durably, and
 * how long one event takes from its agent to the ledger and to the receiver of the notice. The controller is a process of its
 * own, on SQLite in a temporary folder, over its real sockets. Figures are of this machine at this moment.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Peer, World } from '@syndrome/supervisor/controller/testing/peer.ts';

const json = process.argv.includes('--json');
const asked = process.argv[process.argv.indexOf('--events') + 1];
const EVENTS = process.argv.includes('--events') ? Number(asked) : 100_000;
/** Distinct pages of a host: the others are repeats, as a storm is. */
const PAGES = 500;

const dir = mkdtempSync(join(tmpdir(), 'syndrome-bench-'));
const child = spawn(
  process.execPath,
  [join(import.meta.dirname, '../packages/supervisor/src/controller/testing/run.ts'), dir, '5000'],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
/** Limits of the design, where it names one: at least so many a second. What a real agent and a real receiver add is in bench-agent.ts. */
const LIMIT = { eventsPerSecond: 10_000 };
const rows: { name: string; value: number; unit: string; limit?: number; met?: boolean; detail: string }[] = [];
try {
  const world = new World();
  const peers = ['a', 'b', 'c', 'd'].map(host => new Peer(world, host, join(dir, 'run/agents.sock')));
  await Promise.all(peers.map(peer => peer.settled()));
  for (const peer of peers) peer.hold();
  for (let i = 0; i < EVENTS; i++) peers[i % peers.length]?.page(undefined, BigInt((i * 7919) % PAGES));
  const began = performance.now();
  for (const peer of peers) peer.release();
  await Promise.all(peers.map(peer => peer.settled()));
  const seconds = (performance.now() - began) / 1000;
  rows.push({
    name: 'events into the ledger (SQLite, durable)',
    value: EVENTS / seconds,
    unit: 'events/s',
    limit: LIMIT.eventsPerSecond,
    met: EVENTS / seconds >= LIMIT.eventsPerSecond,
    detail: `${EVENTS} of 4 agents, ${PAGES} pages each, over unix sockets, decided on`,
  });

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
    ['event → durable and acknowledged', durable],
    ['event → durable → handed to a file', told],
  ] as const) {
    rows.push({
      name,
      value: at(values, 0.99),
      unit: 'ms p99',
      detail: `p50 ${at(values, 0.5).toFixed(1)} ms, ${values.length} one at a time`,
    });
  }
  for (const peer of peers) peer.stop();
} finally {
  child.kill('SIGKILL');
  await once(child, 'exit');
  rmSync(dir, { recursive: true, force: true });
}

if (json) console.log(JSON.stringify({ schemaVersion: 1, results: rows }));
else {
  for (const { name, value, unit, limit, met, detail } of rows) {
    const shown = value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
    const held = limit === undefined ? '' : `${met === true ? 'met' : 'NOT MET'}: limit ${limit}; `;
    console.log(`${name.padEnd(42)} ${shown.padStart(10)} ${unit.padEnd(9)} ${held}${detail}`);
  }
}

/**
 * `npm run bench [-- --json]`: time from start to verdict, QMP round trips per second, console lines per second
 * through the parser, events per second through the trace reader; then what bench-engines.ts, bench-decode.ts, bench-web.ts, bench-supervisor.ts, bench-fleet.ts and
 * bench-agent.ts measure (a table, or with --json a line, of its own). Figures are of this machine at this moment.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bench } from 'tinybench';
import { KeptProcess } from '@syndrome/lab/machine/keeper.ts';
import { runScenario } from '@syndrome/lab/run.ts';
import { scenarioData } from '@syndrome/lab/run-spec.ts';
import { findScenario } from '@syndrome/lab/scenario/load.ts';
import { parseEvent } from '@syndrome/trace/testing/parse.ts';
import { QmpClient } from '@syndrome/qemu/qmp/client.ts';
import { Supply } from '@syndrome/lab/supply/supply.ts';
import { linuxEvents } from '@syndrome/decode/text/event-reader.ts';

const json = process.argv.includes('--json');
const supply = await Supply.open({ progress: p => p.phase === 'done' && console.error(`${p.part}: ready`) });
const dir = mkdtempSync(join(tmpdir(), 'syndrome-bench-'));
const rows: { name: string; value: number; unit: string; detail: string }[] = [];

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

async function perSecond(name: string, unit: string, each: number, detail: string, task: () => unknown): Promise<void> {
  const bench = new Bench({ time: 1500, warmupTime: 300 });
  bench.add(name, task);
  const [result] = await bench.run();
  const state = result?.result;
  if (state?.state !== 'completed') throw new Error(`${name} did not complete`);
  rows.push({ name, value: state.throughput.mean * each, unit, detail });
}

try {
  const scenario = findScenario('intel-srao-process');
  const traces: string[] = [];
  const runs: { seconds: number; injected: number }[] = [];
  for (let i = 0; i < 3; i++) {
    const trace = join(dir, `${i}.ndjson`);
    const started = process.hrtime.bigint();
    const spec = { scenario: scenarioData(scenario), accel: 'tcg', cold: true } as const;
    const result = await runScenario(spec, { supply, trace });
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    if (result.verdict !== 'pass') throw new Error(`${scenario.name}: ${result.verdict}, see ${trace}`);
    runs.push({ seconds, injected: result.phases.injected ?? NaN });
    traces.push(trace);
  }
  const detail = `median of ${runs.length}, of which ${median(runs.map(r => r.injected)).toFixed(2)} s until the injection`;
  rows.push({
    name: 'start to verdict (intel-srao-process)',
    value: median(runs.map(r => r.seconds)),
    unit: 's',
    detail,
  });

  const events = readFileSync(traces[0] ?? '', 'utf8')
    .trim()
    .split('\n')
    .slice(1);
  const consoleEvents = events.map(line => parseEvent(line)).filter(e => e?.source === 'console');
  const lines = consoleEvents.map(e => e?.raw ?? '');
  await perSecond(
    'console lines through the parser',
    'lines/s',
    lines.length,
    `${lines.length} lines of a real boot with a machine check`,
    () => {
      const parser = linuxEvents();
      for (const line of lines) parser.push(line);
      parser.end();
    },
  );
  await perSecond(
    'events through the trace reader',
    'events/s',
    events.length,
    `${events.length} events of the same run`,
    () => {
      for (const line of events) parseEvent(line);
    },
  );

  const { argv } = await supply.qemu('x86_64');
  const socket = join(dir, 'qmp.sock');
  const server = createServer();
  const connection = new Promise<Socket>(resolve => server.once('connection', resolve));
  await new Promise<void>(resolve => server.listen(socket, resolve));
  const qemu = new KeptProcess(
    [...argv, '-S', '-nodefaults', '-display', 'none', '-qmp', `unix:${socket}`],
    join(dir, 'none'),
    () => {},
  );
  const qmp = await QmpClient.attach(await connection);
  await perSecond('QMP round trips (query-status)', 'calls/s', 1, 'one at a time, real QEMU', () =>
    qmp.execute('query-status'),
  );
  const eight = (): Promise<unknown> => Promise.all(Array.from({ length: 8 }, () => qmp.execute('query-status')));
  await perSecond('QMP round trips, 8 in flight', 'calls/s', 8, 'real QEMU', eight);
  await qmp.close();
  await qemu.stop();
  server.close();
} finally {
  rmSync(dir, { recursive: true, force: true });
}

if (json) console.log(JSON.stringify({ schemaVersion: 1, results: rows }));
else {
  for (const { name, value, unit, detail } of rows) {
    const shown = value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
    console.log(`${name.padEnd(40)} ${shown.padStart(10)} ${unit.padEnd(9)} ${detail}`);
  }
}
await import('./bench-engines.ts');
await import('./bench-decode.ts');
await import('./bench-web.ts');
await import('./bench-supervisor.ts');
await import('./bench-fleet.ts');
await import('./bench-agent.ts');

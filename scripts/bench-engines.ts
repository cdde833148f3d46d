/**
 * The engines beside each other in one run, by scenario: CPU seconds of machine and lab for each injection, isolated injections
 * an hour, and how many times as many as by restoring. `node scripts/bench-engines.ts [--json] [--runs N] [SCENARIO…]`; N is for
 * the fork, the slower ones do a part of it. How a machine is led to its point is not counted, as in a sweep of thousands.
 */
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { type EngineKind, ENGINE_KINDS } from '@syndrome/lab/engine/engine.ts';
import { openEngine } from '@syndrome/lab/engine/open.ts';
import { type RunSpec, scenarioData } from '@syndrome/lab/run-spec.ts';
import { findScenario } from '@syndrome/lab/scenario/load.ts';
import { Supply } from '@syndrome/lab/supply/supply.ts';

const SCENARIOS = ['intel-srao-process', 'intel-uc-fatal', 'intel-ce-logged', 'arm64-ghes-memory', 'amd-deferred'];
/** Of the runs by fork. */
const PART: Record<EngineKind, number> = { fork: 1, template: 0.5, restore: 0.3, cold: 0.1 };

const { values, positionals } = parseArgs({
  args: process.argv.slice(2).filter(word => word !== '--'),
  options: { json: { type: 'boolean' }, runs: { type: 'string', default: '20' } },
  allowPositionals: true,
});
const supply = await Supply.open({ progress: p => p.phase === 'done' && console.error(`${p.part}: ready`) });
const cores = availableParallelism();

interface Row {
  scenario: string;
  /** What was asked for, and what carried the runs out. */
  asked: EngineKind;
  engine: string;
  runs: number;
  right: number;
  /** CPU seconds for each run, of QEMU and of the lab. */
  qemu: number;
  lab: number;
  /** Of the whole loop, wall time, and what all cores would do if they did nothing else. */
  hour: number;
  hourAlone: number;
  load: number;
}

async function measure(scenario: string, asked: EngineKind, runs: number): Promise<Row> {
  const engine = await openEngine({ kind: asked, services: { supply } });
  const spec: RunSpec = { scenario: scenarioData(findScenario(scenario)), accel: 'tcg' };
  const keep = (): boolean => false;
  try {
    // Leads the machine to its point, or makes the state that is restored.
    if (asked !== 'cold') await engine.run(spec, { keep });
    const own = process.cpuUsage();
    const began = performance.now();
    const engines = new Set<string>();
    let [left, right, qemu] = [runs, 0, 0];
    const worker = async (): Promise<void> => {
      while (left-- > 0) {
        const run = await engine.run(spec, { keep });
        engines.add(run.engine);
        right += Number(run.result.verdict === 'pass');
        qemu += run.cpuSeconds.qemu ?? Number.NaN;
      }
    };
    // What waits for a poll leaves its core to others.
    await Promise.all(Array.from({ length: asked === 'fork' ? 4 * cores : cores }, worker));
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(own);
    const lab = (user + system) / 1e6 / runs;
    return {
      scenario,
      asked,
      engine: [...engines].join('+'),
      runs,
      right,
      qemu: qemu / runs,
      lab,
      hour: Math.round((runs / seconds) * 3600),
      hourAlone: Math.round((cores * 3600) / (qemu / runs + lab)),
      load: loadavg()[0] ?? Number.NaN,
    };
  } finally {
    await engine.close();
  }
}

const rows: Row[] = [];
for (const scenario of positionals.length > 0 ? positionals : SCENARIOS) {
  for (const kind of ENGINE_KINDS) {
    const row = await measure(scenario, kind, Math.max(2, Math.round(Number(values.runs) * PART[kind])));
    rows.push(row);
    if (!values.json) console.error(`${scenario} by ${kind}: ${row.right} of ${row.runs}`);
  }
}

if (values.json) console.log(JSON.stringify({ schemaVersion: 1, cores, results: rows }));
else {
  const ms = (seconds: number): string => Math.round(seconds * 1000).toLocaleString('en');
  const cpu = ({ qemu, lab }: Row): number => qemu + lab;
  console.log(
    'scenario            engine              right  QEMU ms  lab ms  × restore   an hour  on free cores  load',
  );
  for (const row of rows) {
    const restored = rows.find(one => one.scenario === row.scenario && one.asked === 'restore') ?? row;
    const engine = row.engine === row.asked ? row.asked : `${row.asked}: ${row.engine}`;
    const words = [
      row.scenario.padEnd(19),
      engine.padEnd(18),
      `${row.right}/${row.runs}`.padStart(6),
      ms(row.qemu).padStart(8),
      ms(row.lab).padStart(7),
      (cpu(restored) / cpu(row)).toFixed(1).padStart(10),
      row.hour.toLocaleString('en').padStart(9),
      row.hourAlone.toLocaleString('en').padStart(14),
      row.load.toFixed(1).padStart(5),
    ];
    console.log(words.join(' '));
  }
}

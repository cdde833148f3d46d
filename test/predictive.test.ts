/** Corrected errors from the lines of a real kernel, through the agent's sources, to what the shipped policy makes of them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Joiner } from '@syndrome/supervisor/agent/join.ts';
import type { Source } from '@syndrome/supervisor/agent/source.ts';
import { KmsgSource } from '@syndrome/supervisor/agent/sources/kmsg.ts';
import { TraceSource } from '@syndrome/supervisor/agent/sources/trace.ts';
import { Vms } from '@syndrome/supervisor/agent/vms.ts';
import type { SeenEvent } from '@syndrome/supervisor/core/said.ts';
import { correctedWithin } from '@syndrome/supervisor/core/ladder.ts';
import { Scene } from '@syndrome/supervisor/core/testing/scene.ts';
import { shippedPolicy } from '@syndrome/supervisor/policy/shipped.ts';
import { parseRow, rowLine } from '@syndrome/supervisor/wire/row.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'predictive-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** What is read of a record at once; behind its first line stands its dictionary. */
const RECORD_BYTES = 16_384;
const record = (line: string, seq: number, us: number): string =>
  `4,${seq},${us},-;${line}\n`.padEnd(RECORD_BYTES - 1) + '\n';

/** Runs a source until it has read what is there. */
async function told(source: Source): Promise<SeenEvent[]> {
  const seen: SeenEvent[] = [];
  const end = new AbortController();
  let pulses = 0;
  const joiner = new Joiner(new Vms());
  await source.run(
    said => void (said.kind === 'event' && seen.push(joiner.join(said))),
    end.signal,
    () => (++pulses > 1 ? end.abort() : undefined),
  );
  return seen;
}
function fromKmsg(lines: readonly [us: number, line: string][]): Promise<SeenEvent[]> {
  const path = join(folder, 'kmsg');
  writeFileSync(path, lines.map(([us, line], i) => record(line, i, us)).join(''));
  return told(new KmsgSource({ path, pollMs: 1 }));
}
const FORMAT = `name: memory_failure_event
ID: 117
format:

print fmt: "pfn %#lx: recovery action for %s: %s", REC->pfn, __print_symbolic(REC->type, { 3, "huge page" }), __print_symbolic(REC->result, { 2, "Delayed" })
`;
function fromTrace(lines: readonly [us: number, line: string][]): Promise<SeenEvent[]> {
  const instance = join(folder, 'instances/syndrome');
  for (const event of ['events/ras/memory_failure_event', 'events/ras/mc_event'])
    for (const root of [folder, instance]) mkdirSync(join(root, event), { recursive: true });
  writeFileSync(join(folder, 'events/ras/memory_failure_event/format'), FORMAT);
  const text = lines.map(([us, line]) => ` kworker/2:1-77 [002] d.... ${(us / 1e6).toFixed(6)}: ${line}\n`);
  writeFileSync(join(instance, 'trace_pipe'), text.join(''));
  return told(new TraceSource({ root: folder, pollMs: 1 }));
}

/** Now, by the kernel's clock, µs. */
const nowUs = (): number => Number(process.hrtime.bigint() / 1000n);
const hex = (n: number): string => n.toString(16);

const LABEL = 'CPU_SrcID#0_MC#0_Chan#1_DIMM#0';
const CELL = 'socket:0 imc:0 rank:0 bg:1 ba:2 row:0x1c6e col:0x';
/** In six pages: each by itself is not yet weak. */
const pageOf = (n: number): string => `96236${hex(10 + (n % 6))}`;
/** One error of a row as skx_edac of Linux prints it: the machine check and the driver's line. */
const skylake = (n: number, us: number): [number, string][] =>
  [
    'EDAC skx MC0: HANDLING MCE MEMORY ERROR',
    'EDAC skx MC0: CPU 0: Machine Check Event: 0x0 Bank 7: 0x8c00004000010091',
    'EDAC skx MC0: TSC 0x0',
    `EDAC skx MC0: ADDR 0x${pageOf(n)}${hex(0x100 + n * 8)}`,
    'EDAC skx MC0: MISC 0x1402a0086',
    'EDAC skx MC0: PROCESSOR 0:0x50654 TIME 1415087019 SOCKET 0 APIC 0x0',
    `EDAC MC0: 1 CE memory read error on ${LABEL} (channel:1 slot:0 page:0x${pageOf(n)} offset:0x${hex(0x100 + n * 8)} grain:32 syndrome:0x0 -  err_code:0x0001:0x0091 ${CELL}${hex(n)})`,
  ].map((line, i) => [us + i, line]);
/** The same as its trace event. */
const traced = (n: number, us: number): [number, string] => [
  us,
  `mc_event: 1 Corrected error: memory read error on ${LABEL} (mc:0 location:1:0:-1 address:0x${pageOf(n)}${hex(0x100 + n * 8)} grain:32 syndrome:0x00000000 err_code:0x0001:0x0091 ${CELL}${hex(n)})`,
];
/** On another DIMM of a server with AMD's driver: the machine check has the controller's address, the line that of the system. */
const amd = (us: number): [number, string][] =>
  [
    '[Hardware Error]: Corrected error, no action required.',
    '[Hardware Error]: CPU:2 (19:1:1) MC17_STATUS[-|CE|MiscV|AddrV|-|-|SyndV|CECC|-|-|-]: 0x9c2040000000011b',
    '[Hardware Error]: Error Addr: 0x00000000123456c0',
    '[Hardware Error]: IPID: 0x0000009600150f00, Syndrome: 0x0000400007801a01',
    '[Hardware Error]: Unified Memory Controller Ext. Error Code: 0, DRAM ECC error.',
    'EDAC MC0: 1 CE Cannot decode normalized address on mc#0csrow#1channel#0 (csrow:1 channel:0 page:0x48d15 offset:0xb00 grain:64 syndrome:0x0)',
    '[Hardware Error]: cache level: L3/GEN, tx: GEN, mem-tx: RD',
  ].map((line, i) => [us + i, line]);

function fleet(): Scene {
  const scene = new Scene(shippedPolicy('protect'));
  for (const host of ['a', 'b', 'c']) scene.host(host);
  return scene;
}
/** What was seen, at the same time by the clock of the scene. */
const say = (scene: Scene, events: readonly SeenEvent[]): void => {
  for (const { when = 0, ...seen } of events) {
    const said = { ...seen, when: scene.now + when - Date.now() };
    scene.say('a', parseRow(rowLine({ seq: 1, at: scene.now, said }), 'a', 's').said);
  }
};
const counts = (scene: Scene): Record<string, number> =>
  Object.fromEntries(
    [...(scene.state.hosts.get('a')?.corrected ?? [])].flatMap(([name, part]) =>
      part.by === 'page' ? [] : [[name, correctedWithin(part, scene.now, 86_400_000)]],
    ),
  );
const rungs = (scene: Scene): string[] =>
  scene.effects.flatMap(e =>
    e.effect === 'decision' && !e.decision.rule.startsWith('core/') && e.decision.rung !== 'observe'
      ? [`${e.decision.rule} ${e.decision.rung}`]
      : [],
  );

describe('corrected errors of one row', () => {
  test('are told to those who may lose something, from the lines of the kernel log', async () => {
    const scene = fleet();
    const from = nowUs() - 60_000_000;
    const seen = await fromKmsg(Array.from({ length: 50 }, (_, n) => skylake(n, from + n * 1_000_000)).flat());
    // Each is told twice, and once by the line that names its place.
    expect(seen.map(e => e.event.name).slice(0, 2)).toEqual(['host.mce-record', 'host.edac-corrected']);
    expect(seen[1]?.where).toEqual({ dimm: LABEL, bank: '2 (rank 0, bank group 1)', row: '0x1c6e' });
    say(scene, seen.slice(0, -2));
    const row = `${LABEL} bank 2 (rank 0, bank group 1) row 0x1c6e`;
    expect(counts(scene)).toMatchObject({ host: 49, [LABEL]: 49, [row]: 49 });
    expect(rungs(scene)).toEqual([]);
    say(scene, seen.slice(-2));
    expect(counts(scene)).toMatchObject({ host: 50, [row]: 50 });
    expect(rungs(scene)).toEqual(['failing-row tell']);
    // Emptying the host for it costs more than it saves (docs/policy-evaluation.md).
    expect(scene.state.hosts.get('a')?.draining).toBeUndefined();
  });

  test('are told, from its trace events; told by both they count once', async () => {
    const scene = fleet();
    const from = nowUs() - 60_000_000;
    const numbers = Array.from({ length: 50 }, (_, n) => n);
    const traces = await fromTrace(numbers.map(n => traced(n, from + n * 1_000_000 + 3)));
    const lines = await fromKmsg(numbers.flatMap(n => skylake(n, from + n * 1_000_000)));
    expect(traces).toHaveLength(50);
    expect(traces[0]).toMatchObject({ source: 'tracefs', where: { dimm: LABEL, row: '0x1c6e' } });
    say(scene, [...lines.slice(0, 60), ...traces.slice(0, 49), ...lines.slice(60, -2)]);
    expect(counts(scene)).toMatchObject({ host: 49 });
    expect(rungs(scene)).toEqual([]);
    say(scene, traces.slice(-1));
    expect(rungs(scene)).toEqual(['failing-row tell']);
    say(scene, lines.slice(-2));
    expect(counts(scene)).toMatchObject({ host: 50, [LABEL]: 50 });
  });

  test('of different addresses nothing proves that two witnesses tell one error: both count', async () => {
    const scene = fleet();
    say(scene, await fromKmsg(amd(nowUs() - 5_000_000)));
    expect(counts(scene)).toMatchObject({ host: 2, 'mc#0csrow#1channel#0': 1 });
  });
});

test('two bad pages in one DIMM empty the host, two in one of two do not', async () => {
  const line = (label: string, page: number): string =>
    `EDAC MC0: 1 UE memory read error on ${label} (channel:1 slot:0 page:0x${hex(page)} offset:0x0 grain:32 syndrome:0x0 -  err_code:0x0001:0x0091)`;
  for (const [label, decided] of [
    ['CPU_SrcID#0_MC#0_Chan#1_DIMM#0', ['one-dimm evacuate']],
    ['DIMM_A1 or DIMM_B1', []],
  ] as const) {
    const scene = fleet();
    say(
      scene,
      await fromKmsg([
        [nowUs() - 9_000_000, line(label, 0x1000)],
        [nowUs() - 5_000_000, line(label, 0x2000)],
      ]),
    );
    expect([...(scene.state.hosts.get('a')?.pages.keys() ?? [])]).toHaveLength(2);
    expect(rungs(scene)).toEqual(decided);
  }
});

describe('what the driver has counted and nobody has told', () => {
  const counted = (scene: Scene, count: number, boot = 'a-boot-1'): void =>
    scene.host('a', { boot, counters: { 'mc0.ce_count': count, 'mc1.ce_count': 0 } });

  test('counts for the host, once, and what was there at first does not', async () => {
    const scene = fleet();
    counted(scene, 5000);
    scene.pass(130);
    expect(counts(scene)).toEqual({});
    counted(scene, 5010);
    const seen = await fromKmsg(skylake(1, nowUs() - 1_000_000));
    say(scene, seen);
    scene.pass(59);
    expect(counts(scene)).toMatchObject({ host: 1 });
    scene.pass(10);
    expect(counts(scene)).toMatchObject({ host: 10, [LABEL]: 1 });
    scene.pass(200);
    counted(scene, 5010);
    scene.pass(200);
    expect(counts(scene)).toMatchObject({ host: 10 });
    // While it flows, and after a boot.
    for (let i = 1; i <= 20; i++) {
      counted(scene, 5010 + i);
      scene.pass(10);
    }
    scene.pass(200);
    expect(counts(scene)).toMatchObject({ host: 30 });
    counted(scene, 7, 'a-boot-2');
    scene.pass(200);
    expect(counts(scene)).toMatchObject({ host: 30 });
  });
});

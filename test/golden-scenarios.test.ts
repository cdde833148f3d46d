/**
 * Public reports of supervisors that went wrong, told to our core: events in, decisions out. What has to hold is asserted in
 * code, whatever the golden file says. `UPDATE_GOLDEN=1` writes the golden files anew.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import type { Act, StopProof } from '@syndrome/supervisor/core/act.ts';
import type { Effect, Order } from '@syndrome/supervisor/core/input.ts';
import type { Said } from '@syndrome/supervisor/core/said.ts';
import { checkRun } from '@syndrome/supervisor/core/testing/holds.ts';
import { goneProof, linesOf, Scene, START } from '@syndrome/supervisor/core/testing/scene.ts';
import { shippedPolicy } from '@syndrome/supervisor/policy/shipped.ts';
import { catalogEvent } from '@syndrome/decode/events/catalog.ts';
import type { Policy } from '@syndrome/supervisor/core/policy.ts';

const FOLDER = join(import.meta.dirname, '../packages/supervisor/src/core/golden');
const UPDATE = process.env['UPDATE_GOLDEN'] === '1';

type Line = Record<string, unknown> & { t?: number; on?: string };

interface Run {
  scene: Scene;
  /** All effects with their second. */
  said: { at: number; effect: Effect }[];
}

/** 64-bit fields stand as text in the file. */
function fieldsOf(name: string, fields: Record<string, unknown>): Record<string, unknown> {
  const types = catalogEvent(name)?.fieldTypes ?? expect.fail(`no event ${name}`);
  const wide = new Set(['address', 'register', 'pfn', 'bigint']);
  return Object.fromEntries(
    Object.entries(fields).map(([key, v]) => [key, wide.has(types[key]?.type ?? '') ? BigInt(String(v)) : v]),
  );
}

function policyOf(line: Line): Policy {
  const policy = shippedPolicy(line['policy'] as 'protect');
  const more = (line['with'] ?? {}) as Partial<Policy>;
  return {
    ...policy,
    ...more,
    proofs: { ...policy.proofs, ...more.proofs },
    breaker: { ...policy.breaker, ...more.breaker },
  };
}

/** The act of a kind that is under way on a host: the file answers what the core has asked, or it is wrong. */
function asked(scene: Scene, line: Line): Act {
  const open = scene.acts();
  const found = open.find(a => a.kind === line['answer'] && a.host === line.on);
  return (
    found ??
    expect.fail(
      `t=${line.t}: no ${String(line['answer'])} on ${line.on} is under way, but ${open.map(a => `${a.kind} ${a.host}`).join(', ') || 'nothing'}`,
    )
  );
}

function proofOf(act: Act, given: unknown): StopProof | undefined {
  if (given === undefined) return undefined;
  const gone = goneProof(act);
  return given === 'gone' ? gone : { ...gone, ...(given as Partial<StopProof>) };
}

function answer(scene: Scene, line: Line): void {
  const act = asked(scene, line);
  const proof = proofOf(act, line['proof']);
  const result = {
    action: act.id,
    epoch: act.epoch,
    ...(act.vm === undefined ? {} : { vm: act.vm }),
    state: (line['state'] ?? 'confirmed') as 'confirmed',
    ...(line['reason'] === undefined ? {} : { reason: line['reason'] as string }),
    ...(line['seen'] === undefined ? {} : { seen: line['seen'] as Record<string, string> }),
    ...(proof === undefined ? {} : { proof }),
  };
  if (line['beside'] === true) scene.send({ input: 'result', at: scene.now, host: act.host, result });
  else scene.say(act.host, { kind: 'result', ...result });
}

function play(scene: Scene, line: Line): void {
  const { t: _t, on = '', ...rest } = line;
  if ('policy' in line) scene.send({ input: 'policy', at: scene.now, by: 'golden', policy: policyOf(line) });
  else if ('agent' in line)
    scene.send({ input: 'agent', at: scene.now, host: String(line['agent']), connected: line['connected'] !== false });
  else if ('fences' in line) scene.send({ input: 'fences', at: scene.now, hosts: line['fences'] as string[] });
  else if ('host' in line) scene.host(String(line['host']), rest as never);
  else if ('event' in line) {
    const { event: name, fields, source, ...more } = rest as Record<string, unknown>;
    const event = { name, fields: fieldsOf(String(name), fields as Record<string, unknown>) };
    scene.say(on, { kind: 'event', source, event, ...more } as unknown as Said);
  } else if ('vm' in line) scene.vm(on, String(line['vm']), rest as never);
  else if ('said' in line) scene.say(on, line['said'] as Said);
  else if ('order' in line) scene.order(String(line['by']), line['order'] as Order);
  else if ('answer' in line) answer(scene, line);
}

function run(name: string): Run {
  const scene = new Scene();
  const said: Run['said'] = [];
  let seen = 0;
  const note = (): void => {
    for (const effect of scene.effects.slice(seen)) said.push({ at: scene.now, effect });
    seen = scene.effects.length;
  };
  const until = (t: number): void => {
    while (scene.now < START + t * 1000) {
      scene.now = Math.min(START + t * 1000, scene.now + 1000);
      scene.send({ input: 'tick', at: scene.now });
      note();
    }
  };
  for (const text of readFileSync(join(FOLDER, `${name}.in.ndjson`), 'utf8')
    .trim()
    .split('\n')) {
    const line = JSON.parse(text) as Line;
    if ('note' in line) continue;
    const t = line.t ?? 0;
    if (line['jump'] === true) {
      scene.now = START + t * 1000;
      scene.send({ input: 'tick', at: scene.now });
    } else until(t);
    play(scene, line);
    note();
    if (line['answerAll'] !== true) continue;
    for (let second = t; second <= Number(line['until']); second++) {
      until(second);
      const act = scene.acts()[0];
      if (act !== undefined) scene.good(act);
      note();
    }
  }
  return { scene, said };
}

const acts = ({ said }: Run): string[] =>
  said.flatMap(({ effect: e }) =>
    e.effect === 'act'
      ? [`${e.act.kind} ${e.act.host}${e.act.vm === undefined ? '' : ` ${e.act.vm}`} ${e.act.epoch}`]
      : [],
  );
const notices = ({ said }: Run): string[] =>
  said.flatMap(({ effect: e }) =>
    e.effect === 'notice' ? [`${e.notice.type}${e.notice.vm === undefined ? '' : ` ${e.notice.vm}`}`] : [],
  );
const when = ({ said }: Run, what: (e: Effect) => boolean): number =>
  ((said.find(s => what(s.effect))?.at ?? Number.NaN) - START) / 1000;
const isAct = (kind: string, host: string) => (e: Effect) =>
  e.effect === 'act' && e.act.kind === kind && e.act.host === host;
const isNotice = (type: string) => (e: Effect) => e.effect === 'notice' && e.notice.type === type;
const proofs = ({ said }: Run): string[] =>
  said.flatMap(({ effect: e }) =>
    e.effect === 'decision' && e.decision.rule === 'core/stop-proof'
      ? [`${e.decision.vm} ${e.decision.host} ${e.decision.inputs['epoch']} ${e.decision.inputs['proof']}`]
      : [],
  );
const starts = (r: Run): string[] => acts(r).filter(a => a.startsWith('start '));

/** What must hold in each, by the name of its file. */
const HOLDS: Record<string, (r: Run) => void> = {
  'migrated-source-lives': r => {
    // I4: the move ends when the source's process is proven gone; until then it is stopped, and the target not started again.
    expect(starts(r)).toEqual([]);
    expect(acts(r)).toContain('stop a v 0');
    expect(notices(r)).toContain('alert.unproven v');
    expect(when(r, isNotice('vm.migrated'))).toBeGreaterThanOrEqual(82);
    expect(proofs(r)).toEqual(['v a 0 process-gone']);
  },
  'zombie-is-no-copy': r => {
    expect(starts(r)).toEqual(['start b v 1']);
    expect(notices(r)).not.toContain('alert.unproven v');
  },
  'storage-lost-agent-stopped': r => {
    // I5: an hour of silence is no proof; the host that comes back meets a higher epoch.
    expect(when(r, isAct('start', 'b'))).toBeGreaterThanOrEqual(3664);
    expect(notices(r)).toContain('alert.unproven v');
    expect(acts(r)).toContain('autostart-off a v 1');
  },
  'fence-already-off': r => {
    // The proof is the power state that was read back, never what the command returned.
    expect(starts(r)).toEqual(['start b v 1']);
    expect(proofs(r)).toEqual(['v a 0 power-off']);
    expect(notices(r)).toContain('alert.unproven w');
  },
  'bmc-dead-with-host': r => {
    // I11: it ends in an alert within a bound, and in a start only by an attestation that names the copy exactly.
    expect(when(r, isNotice('alert.unproven'))).toBeLessThan(400);
    expect(when(r, isAct('start', 'b'))).toBe(610);
    expect(proofs(r)).toEqual(['v a 0 attested']);
  },
  'fenced-but-not-restarted': r => {
    // I6: confirmed is what was seen. The next start needs the proof of the one before.
    expect(starts(r)).toEqual(['start b v 1', 'start c v 2']);
    expect(proofs(r)).toEqual(['v a 0 process-gone', 'v b 1 process-gone']);
    expect(when(r, isNotice('vm.restarted'))).toBe(438);
  },
  'assumed-rebooted': r => {
    // I5: no deadline is a proof.
    expect(when(r, isAct('start', 'b'))).toBeGreaterThan(4100);
    expect(when(r, isNotice('alert.unproven'))).toBeLessThan(600);
    expect(starts(r)).toEqual(['start b v 1']);
  },
  'breaker-closed-stale-events': r => {
    // What runs again is left alone; what still lies is not.
    expect(when(r, isNotice('alert.breaker-open'))).toBeLessThan(60);
    expect(starts(r)).toEqual(['start d vc 1']);
    expect(when(r, isAct('start', 'd'))).toBeGreaterThan(172_800);
  },
  'two-crashes-monitor-wedged': r => {
    const incidents = [...r.scene.state.incidents.values()].filter(i => i.cause === 'page');
    expect(incidents.map(i => [i.vm, i.consequence])).toEqual([
      ['v', 'died'],
      ['w', 'died'],
    ]);
    expect(notices(r)).toContain('alert.source-stalled');
    expect(starts(r).length).toBe(2);
  },
  'old-host-autostarts': r => {
    // I4: autostart is off before the start elsewhere; the copy that the old host starts again is stopped there.
    const list = acts(r);
    expect(list.indexOf('autostart-off a v 0')).toBeLessThan(list.indexOf('start b v 1'));
    expect(starts(r)).toEqual(['start b v 1']);
    expect(notices(r)).toContain('alert.second-copy v');
    // The second one in the newer epoch, which the old host may have been told of already: else it refuses to end its copy.
    expect(list.filter(a => a.startsWith('stop a v'))).toEqual(['stop a v 0', 'stop a v 1']);
    expect(list).toContain('autostart-off a v 1');
  },
  'owned-by-another-controller': r => {
    expect(acts(r)).toEqual([]);
    expect(notices(r)).toContain('vm.memory.poisoned v');
  },
  'planned-poweroff': r => {
    // A stop that was asked for is no failure.
    expect(acts(r)).toEqual([]);
    expect(notices(r)).not.toContain('alert.unproven v');
  },
  'sigbus-without-error': r => {
    expect(starts(r)).toEqual(['start b w 1']);
    expect(notices(r).filter(n => n.endsWith(' v'))).toEqual([]);
    expect([...r.scene.state.incidents.values()].filter(i => i.vm === 'v')).toEqual([]);
  },
};

const names = globSync('*.in.ndjson', { cwd: FOLDER })
  .map(f => basename(f, '.in.ndjson'))
  .toSorted();

test('each scenario has its invariant', () => {
  expect(names).toEqual(Object.keys(HOLDS).toSorted());
  expect(names.length).toBe(13);
});

test('docs name for each where it runs on real parts, and the test there has its name', () => {
  const root = join(import.meta.dirname, '..');
  const docs = readFileSync(join(root, 'docs/supervisor.md'), 'utf8');
  const files = globSync('{test,packages/*/src}/**/*.machine.test.ts', { cwd: root });
  for (const name of names) {
    const [, real = ''] = new RegExp(`^\\| \`${name}\` \\|[^|]*\\| (.*) \\|$`, 'm').exec(docs) ?? expect.fail(name);
    const named = [...real.matchAll(/`([\w-]+)`:/g)].map(([, file]) => `${file}.machine.test.ts`);
    expect(named.length > 0 || real.startsWith('no: '), real).toBe(true);
    for (const one of named) {
      const file = files.find(path => basename(path) === one) ?? expect.fail(one);
      expect(readFileSync(join(root, file), 'utf8'), `${one}: ${name}`).toMatch(new RegExp(`test\\(\\s*'[^']*${name}`));
    }
  }
});

test.each(names)('%s', name => {
  const r = run(name);
  const text = `${r.said.flatMap(({ at, effect }) => linesOf([effect], at)).join('\n')}\n`;
  const file = join(FOLDER, `${name}.expect`);
  if (UPDATE) writeFileSync(file, text);
  HOLDS[name]?.(r);
  checkRun(r.scene);
  expect(text).toBe(readFileSync(file, 'utf8'));
});

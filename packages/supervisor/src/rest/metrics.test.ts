import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { messageLine, rowsLine } from '../wire/messages.ts';
import { METRICS_ROUTE } from './metrics.ts';
import { TestSite } from './testing/site.ts';

const DOCS = join(import.meta.dirname, '../../../../docs');
const [MONITORING, PLAYBOOKS] = [join(DOCS, 'monitoring'), join(DOCS, 'playbooks')];

let site: TestSite;
beforeAll(async () => {
  site = await TestSite.start();
  await site.story();
});
afterAll(() => site.stop());

const scrape = async (): Promise<string> => {
  const { status, headers, body } = await site.ask('/metrics', { as: 'vera' });
  expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  return body;
};
/** Resolves when it is so, within the time of the test. */
async function eventually(so: () => Promise<boolean>): Promise<void> {
  while (!(await so())) await sleep(10);
}
/** Samples by name and labels. */
const samples = (text: string): Map<string, number> =>
  new Map(
    text
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('#'))
      .map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );

test('what has happened is counted: pages and bytes of the host, errors of the VM, acts, notices, decisions', async () => {
  const found = samples(await scrape());
  expect(Object.fromEntries(found)).toMatchObject({
    syndrome_controller_works: 1,
    syndrome_circuit_open: 0,
    syndrome_paused: 0,
    'syndrome_hosts{agent="connected"}': 2,
    'syndrome_agent_connected{host="a"}': 1,
    syndrome_vms: 1,
    'syndrome_poisoned_bytes{host="a"}': 3 * 4096,
    'syndrome_vm_distinct_errors{vm="web"}': 3,
    syndrome_fence_unproven_vms: 0,
    'syndrome_actions_total{kind="start",result="confirmed"}': 1,
  });
  const pages = [...found].filter(([name]) => name.startsWith('syndrome_poisoned_pages{host="a"'));
  expect(pages.reduce((sum, [, n]) => sum + n, 0)).toBe(3);
  const { json } = await site.ask('/v1/incidents?limit=1000', { as: 'vera' });
  const open = [...found].filter(([name]) => name.startsWith('syndrome_incidents_open{'));
  expect(open.every(([name]) => /\{cause="[a-z]+",severity="(?:info|warning|critical)"\}$/.test(name))).toBe(true);
  expect(open.reduce((sum, [, n]) => sum + n, 0)).toBe(
    (json['items'] as { state: string }[]).filter(({ state }) => state === 'open').length,
  );
  expect(found.get('syndrome_incidents_total')).toBe((json['items'] as unknown[]).length);
  const [decisions] = await site.store.query('select count(*) as n from decision');
  expect(found.get('syndrome_decisions_total')).toBe(Number(decisions?.['n']));
  expect([...found.values()].every(Number.isFinite)).toBe(true);
});

test('what comes from agents is counted: events, rows that came again, what waits in a spool, and how long each step took', async () => {
  const found = samples(await scrape());
  const sum = (text: RegExp): number =>
    [...found].reduce((all, [name, value]) => (text.test(name) ? all + value : all), 0);
  const [rows] = await site.store.query(`select count(*) as n from input where body like '%"kind":"event"%'`);
  expect(sum(/^syndrome_events_total\{/)).toBe(Number(rows?.['n']));
  expect(sum(/^syndrome_detection_delay_seconds_count\{/)).toBe(Number(rows?.['n']));
  const [acts] = await site.store.query(`select count(*) as n from act where state = 'confirmed'`);
  expect(sum(/^syndrome_actions_total\{.*result="confirmed"/)).toBe(Number(acts?.['n']));
  expect(sum(/^syndrome_action_duration_seconds_count/)).toBe(sum(/^syndrome_actions_total/));
  expect(sum(/^syndrome_action_duration_seconds_bucket\{.*le="\+Inf"/)).toBe(sum(/^syndrome_actions_total/));
  // A notice that is written as delivered is counted a moment later.
  await eventually(async () => {
    const [told] = await site.store.query(`select count(*) as n from outbox where state = 'delivered'`);
    const counted = samples(await scrape());
    return (
      counted.get('syndrome_notices_total{target="one",result="delivered"}') === Number(told?.['n']) &&
      counted.get('syndrome_notification_delay_seconds_count{target="one"}') === Number(told?.['n'])
    );
  });
  expect(found.get('syndrome_events_duplicate_total')).toBe(0);
  const d = site.peer('d');
  await d.settled();
  d.send(rowsLine(d.spool.slice(0, 1)));
  d.send(messageLine({ type: 'pong', n: 0, waiting: 42 }));
  await eventually(async () => {
    const now = samples(await scrape());
    return (
      now.get('syndrome_events_duplicate_total') === 1 &&
      now.get('syndrome_spool_backlog{host="d"}') === 42 &&
      now.get('syndrome_spool_backlog{host="a"}') === 0
    );
  });
  d.stop();
});

test('to read it costs no more with a long ledger: no row is counted that is over', async () => {
  const { desk } = site;
  if (METRICS_ROUTE.kind !== 'text' || desk === undefined) throw new Error('no controller works');
  const asked: string[] = [];
  const { query } = site.store;
  const recorded: typeof query = (text, values) => {
    asked.push(text);
    return query(text, values);
  };
  await METRICS_ROUTE.run({ ...desk, query: recorded }, { failures: 0 });
  expect(asked).toHaveLength(1);
  const plan = await query(`explain query plan ${asked[0]?.replace('$1', '10')}`);
  expect(JSON.stringify(plan.map(row => row['detail']))).toMatch(/SEARCH outbox USING COVERING INDEX outbox_due/);
});

test('every series has help and type before it, once, and counters alone end in _total', async () => {
  const seen = new Map<string, string>();
  for (const line of (await scrape()).trimEnd().split('\n')) {
    const [, kind, name, rest] = /^# (HELP|TYPE) (\w+) (.+)$/.exec(line) ?? [];
    if (kind === 'HELP') expect(seen.has(name ?? ''), line).toBe(false);
    if (kind === 'TYPE') seen.set(name ?? '', rest ?? '');
    if (kind !== undefined) continue;
    const [, series = ''] =
      /^(\w+)(?:\{(?:\w+="(?:[^"\\\n]|\\.)*",?)+\})? -?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/.exec(line) ?? [];
    const family = series.replace(/_(?:bucket|sum|count)$/, '');
    const type = series.endsWith('_total') ? 'counter' : family === series ? 'gauge' : 'histogram';
    expect(seen.get(family), line).toBe(type);
  }
  expect(seen.size).toBeGreaterThan(15);
});

/** `promtool`, in the folder of the rules; undefined where there is none. */
function promtool(args: readonly string[], input?: string): { status: number | null; said: string } | undefined {
  const { error, status, stdout, stderr } = spawnSync('promtool', args, {
    cwd: MONITORING,
    ...(input === undefined ? {} : { input }),
    encoding: 'utf8',
    timeout: 60_000,
  });
  return error === undefined ? { status, said: stdout + stderr } : undefined;
}
const NO_PROMTOOL = 'no promtool; apt-get install --no-install-recommends prometheus';

test('promtool has nothing to say of the metrics', async context => {
  const told = promtool(['check', 'metrics'], await scrape());
  if (told === undefined) return context.skip(NO_PROMTOOL);
  expect(told).toEqual({ status: 0, said: '' });
});

describe('rules and dashboard', () => {
  /** Names of metrics in expressions. */
  const namedIn = (text: string): string[] => text.match(/\bsyndrome_\w+/g) ?? [];
  const isKnown = async (names: readonly string[]): Promise<void> => {
    const known = [...(await scrape()).matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name ?? '');
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter(name => !known.includes(name))).toEqual([]);
  };
  interface Rule {
    alert: string;
    expr: string;
    annotations: { playbook: string };
  }
  const { groups } = parse(readFileSync(join(MONITORING, 'alerts.yml'), 'utf8')) as { groups: { rules: Rule[] }[] };
  const rules = groups.flatMap(group => group.rules);

  test('name metrics that there are, and playbooks', async () => {
    await isKnown(rules.flatMap(({ expr }) => namedIn(expr)));
    for (const { annotations } of rules) expect(existsSync(join(PLAYBOOKS, annotations.playbook))).toBe(true);
  });
  test('each rule is tried: where it calls somebody, and where it does not', () => {
    interface Tried {
      tests: { alert_rule_test: { alertname: string; exp_alerts?: unknown[] }[] }[];
    }
    const { tests } = parse(readFileSync(join(MONITORING, 'alerts.test.yml'), 'utf8')) as Tried;
    const tried = tests.flatMap(one => one.alert_rule_test);
    for (const { alert } of rules) {
      const calls = tried.filter(one => one.alertname === alert).map(one => (one.exp_alerts ?? []).length > 0);
      expect([alert, new Set(calls)]).toEqual([alert, new Set([true, false])]);
    }
  });
  test('promtool finds the rules right, and does what the tests of them say', context => {
    const [checked, tested] = [
      promtool(['check', 'rules', 'alerts.yml']),
      promtool(['test', 'rules', 'alerts.test.yml']),
    ];
    if (checked === undefined) return context.skip(NO_PROMTOOL);
    expect([checked.status, checked.said]).toEqual([0, expect.stringContaining(`${rules.length} rules found`)]);
    expect(tested).toMatchObject({ status: 0 });
  });
  interface Panel {
    id: number;
    type: string;
    gridPos: Record<'x' | 'y' | 'w' | 'h', number>;
    targets: { expr: string }[];
  }
  interface Dashboard {
    uid: string;
    title: string;
    templating: { list: { name: string; query: unknown }[] };
    panels: Panel[];
  }
  const DASHBOARDS = readdirSync(MONITORING).filter(file => /^grafana-.*\.json$/.test(file));
  const read = (file: string): Dashboard => JSON.parse(readFileSync(join(MONITORING, file), 'utf8')) as Dashboard;
  /** Two panels that lie on each other. */
  const overlap = ({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean =>
    a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

  test.each(DASHBOARDS)(
    '%s shows metrics that there are, with variables that it has, each panel once and in its place',
    async file => {
      const { panels, templating } = read(file);
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      for (const [i, panel] of panels.entries()) {
        expect(panel.gridPos.x + panel.gridPos.w).toBeLessThanOrEqual(24);
        expect(panels.slice(i + 1).filter(other => overlap(panel, other))).toEqual([]);
      }
      const exprs = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
      const asked = templating.list.map(({ query }) => JSON.stringify(query));
      await isKnown([...exprs, ...asked].flatMap(namedIn).map(name => name.replace(/_(?:bucket|sum|count)$/, '')));
      const has = new Set(templating.list.map(({ name }) => name));
      const wants = exprs.flatMap(expr => [...expr.matchAll(/\$\{?(\w+)/g)].map(([, name]) => name ?? ''));
      expect(wants.filter(name => !has.has(name) && !name.startsWith('__'))).toEqual([]);
    },
  );
  test('there is one of the fleet, one of a host, one of a VM, and of what each is about', () => {
    const all = DASHBOARDS.map(read);
    expect(new Set(all.map(({ uid }) => uid)).size).toBe(all.length);
    expect(DASHBOARDS).toEqual(['grafana-fleet.json', 'grafana-host.json', 'grafana-vm.json']);
    for (const [i, label] of [undefined, 'host', 'vm'].entries()) {
      if (label === undefined) continue;
      const { templating, panels } = read(DASHBOARDS[i] ?? '');
      expect(templating.list.map(({ name }) => name)).toContain(label);
      const about = panels.filter(({ targets }) => targets.some(({ expr }) => expr.includes(`${label}="$${label}"`)));
      expect(about.length).toBeGreaterThan(panels.length / 2);
    }
  });
  test('every expression is one that Prometheus reads', context => {
    const exprs = DASHBOARDS.flatMap(file =>
      read(file).panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    );
    const filled = exprs.map(expr => expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$\{?\w+\}?/g, 'x'));
    const rules = filled.map((expr, i) => ({ record: `dashboard:expr:${i}`, expr }));
    const folder = mkdtempSync(join(tmpdir(), 'promtool-'));
    try {
      const file = join(folder, 'exprs.json');
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'all', rules }] }));
      const told = promtool(['check', 'rules', file]);
      if (told === undefined) return context.skip(NO_PROMTOOL);
      expect(told).toMatchObject({ status: 0 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test('it needs a token; and a controller that waits for its lease says so, and nothing else', async () => {
  expect((await site.ask('/metrics')).status).toBe(401);
  await site.rest();
  const NOTHING = ['syndrome_controller_works', 'syndrome_controller_failed', 'syndrome_controller_failures_total'];
  expect([...samples(await scrape())]).toEqual(NOTHING.map(name => [name, 0]));
  await site.work();
  expect(samples(await scrape()).get('syndrome_controller_works')).toBe(1);
});

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
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
  expect(found.get('syndrome_incidents_total')).toBe((json['items'] as unknown[]).length);
  const [decisions] = await site.store.query('select count(*) as n from decision');
  expect(found.get('syndrome_decisions_total')).toBe(Number(decisions?.['n']));
  expect([...found.values()].every(Number.isFinite)).toBe(true);
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
    expect(seen.get(series), line).toBe(series.endsWith('_total') ? 'counter' : 'gauge');
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
    expect(names.length).toBeGreaterThan(10);
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
  test('the dashboard shows metrics that there are, each panel once', async () => {
    interface Dashboard {
      panels: { id: number; targets: { expr: string }[] }[];
    }
    const text = readFileSync(join(MONITORING, 'grafana-fleet.json'), 'utf8');
    const { panels } = JSON.parse(text) as Dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    await isKnown(panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => namedIn(expr))));
  });
});

test('it needs a token; and a controller that waits for its lease says so, and nothing else', async () => {
  expect((await site.ask('/metrics')).status).toBe(401);
  await site.rest();
  expect([...samples(await scrape())]).toEqual([['syndrome_controller_works', 0]]);
  await site.work();
  expect(samples(await scrape()).get('syndrome_controller_works')).toBe(1);
});

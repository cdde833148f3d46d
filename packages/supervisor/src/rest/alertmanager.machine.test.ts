/**
 * The chain with the real programs: a controller's /metrics, Prometheus with docs/monitoring/alerts.yml, Alertmanager, and a receiver of its
 * webhooks. In the copy of the rules each `for:` is a second, so that nobody waits for minutes; expressions, labels and annotations are as shipped.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcp, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Peer } from '../controller/testing/peer.ts';
import { TestSite } from './testing/site.ts';

const MONITORING = join(import.meta.dirname, '../../../../docs/monitoring');
const PROGRAMS = ['prometheus', 'prometheus-alertmanager'];
const missing = PROGRAMS.filter(program =>
  (process.env['PATH'] ?? '').split(delimiter).every(folder => {
    try {
      accessSync(join(folder, program));
      return false;
    } catch {
      return true;
    }
  }),
);
const noChain =
  missing.length === 0
    ? undefined
    : `no ${missing.join(', ')}: apt-get install -y --no-install-recommends ${PROGRAMS.join(' ')}`;
/** What has not come by then does not come. */
const DEADLINE_MS = 80_000;

/** What Alertmanager sends (its documentation, "webhook_config"). */
interface Group {
  receiver: string;
  status: 'firing' | 'resolved';
  groupLabels: Record<string, string>;
  alerts: { status: string; labels: Record<string, string>; annotations: Record<string, string> }[];
}

let folder: string;
let site: TestSite;
let hosts: Peer[];
const programs: ChildProcess[] = [];
const output: string[] = [];
const groups: Group[] = [];
const waiting = new Set<() => void>();

/** Who gets what Alertmanager sends. */
const receiver = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (text: string) => (body += text));
  request.on('end', () => {
    groups.push(JSON.parse(body) as Group);
    response.end();
    for (const look of waiting) look();
  });
});

async function listening(server: ReturnType<typeof createTcp>): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A port that nobody has now. */
async function freePort(): Promise<number> {
  const server = createTcp();
  const port = await listening(server);
  await new Promise(resolve => server.close(resolve));
  return port;
}

function run(program: string, ...args: string[]): void {
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => output.push(`${program}: ${text}`));
  programs.push(child);
}

/** What is found among the groups that have come, or come. */
async function found<T>(what: string, find: () => T | undefined): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const look = (): void => {
    const value = find();
    if (value !== undefined) resolve(value);
  };
  waiting.add(look);
  const seen = (): string => groups.map(g => `${g.groupLabels['alertname']} ${g.status} ${g.alerts.length}`).join(', ');
  const timer = setTimeout(
    () => reject(new Error(`no ${what}; but ${seen()}\n${output.join('').slice(-3000)}`)),
    DEADLINE_MS,
  );
  look();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    waiting.delete(look);
  }
}

/** A group of so many alerts that fire. */
const firing = (name: string, alerts: number): Promise<Group> =>
  found(`${name} of ${alerts}`, () =>
    groups.find(
      ({ groupLabels, status, alerts: all }) =>
        groupLabels['alertname'] === name && status === 'firing' && all.length === alerts,
    ),
  );

/** Alerts are over: one message says it of all, or one after the other. */
const resolved = (name: string, names: readonly string[]): Promise<Group> =>
  found(`end of ${name}`, () => {
    const of = groups.filter(({ groupLabels }) => groupLabels['alertname'] === name);
    const over = of.flatMap(({ alerts }) => alerts.filter(({ status }) => status === 'resolved'));
    const last = of.at(-1);
    const isOver = names.every(host => over.some(({ labels }) => labels['host'] === host));
    return isOver && last?.status === 'resolved' ? last : undefined;
  });

beforeAll(async () => {
  if (noChain !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'alerts-'));
  site = await TestSite.start();
  const [api, alerts, web] = await Promise.all([freePort(), freePort(), freePort()]);
  await site.serve({ port: api });
  const hook = await listening(receiver);
  const rules = readFileSync(join(MONITORING, 'alerts.yml'), 'utf8');
  writeFileSync(join(folder, 'alerts.yml'), rules.replaceAll(/^( +for:) .*$/gm, '$1 1s'));
  writeFileSync(join(folder, 'token'), site.tokens.vera, { mode: 0o600 });
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
rule_files: [alerts.yml]
alerting: { alertmanagers: [{ static_configs: [{ targets: ['127.0.0.1:${alerts}'] }] }] }
scrape_configs:
  - job_name: syndrome
    static_configs: [{ targets: ['127.0.0.1:${api}'] }]
    authorization: { credentials_file: token }
`,
  );
  writeFileSync(
    join(folder, 'alertmanager.yml'),
    `route: { receiver: people, group_by: [alertname], group_wait: 3s, group_interval: 1s, repeat_interval: 1h }
receivers: [{ name: people, webhook_configs: [{ url: 'http://127.0.0.1:${hook}/', send_resolved: true }] }]
`,
  );
  for (const name of ['am', 'tsdb']) mkdirSync(join(folder, name));
  // Without an address of the cluster it looks for a private one, and ends where there is none.
  run(
    'prometheus-alertmanager',
    '--config.file=alertmanager.yml',
    '--storage.path=am',
    `--web.listen-address=127.0.0.1:${alerts}`,
    '--cluster.listen-address=',
  );
  run(
    'prometheus',
    '--config.file=prometheus.yml',
    '--storage.tsdb.path=tsdb',
    `--web.listen-address=127.0.0.1:${web}`,
  );
  hosts = [site.peer('a'), site.peer('b')];
  hosts[0]?.vm('web');
  await Promise.all(hosts.map(host => host.settled()));
});
afterAll(async () => {
  for (const child of programs) {
    const ended = new Promise(resolve => child.once('exit', resolve));
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await ended;
  }
  receiver.closeAllConnections();
  receiver.close();
  if (noChain !== undefined) return;
  await site.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('from /metrics through Prometheus and Alertmanager to a webhook', () => {
  beforeEach(context => skipWithout(context, 'prometheus', noChain));

  test('the third page that a VM loses: one alert, with its labels and the playbook', async () => {
    for (const pfn of [0x10n, 0x11n, 0x12n]) hosts[0]?.page('web', pfn);
    const { receiver: to, alerts } = await firing('SyndromeVmThirdError', 1);
    expect(to).toBe('people');
    expect(alerts).toMatchObject([
      {
        status: 'firing',
        labels: { alertname: 'SyndromeVmThirdError', vm: 'web', severity: 'warning', job: 'syndrome' },
        annotations: { summary: 'VM web has met 3 distinct memory errors.', playbook: 'memory-poisoned.md' },
      },
    ]);
  }, 100_000);

  test('two silent agents come as one group, and are taken back together when both are here again', async () => {
    for (const host of hosts) host.stop();
    const { alerts } = await firing('SyndromeAgentSilent', 2);
    expect(new Set(alerts.map(({ labels }) => labels['host']))).toEqual(new Set(['a', 'b']));
    expect(alerts.map(({ annotations }) => annotations['playbook'])).toEqual(['not-seen.md', 'not-seen.md']);
    for (const host of ['a', 'b']) site.peer(host);
    await resolved('SyndromeAgentSilent', ['a', 'b']);
  }, 180_000);

  test('what is well is no alert', () => {
    const fired = new Set(groups.map(one => one.groupLabels['alertname']));
    for (const name of [
      'SyndromeNobodyWorks',
      'SyndromeTwoWork',
      'SyndromeCircuitOpen',
      'SyndromePaused',
      'SyndromeUnproven',
    ])
      expect(fired).not.toContain(name);
  });
});

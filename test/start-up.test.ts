/** What a command loads before it does anything: each module costs every run, so what only some runs need waits for them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const dir = mkdtempSync(join(tmpdir(), 'start-up-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const watcher = join(dir, 'watcher.mjs');
writeFileSync(
  watcher,
  `import { registerHooks } from 'node:module';
import { writeFileSync } from 'node:fs';
const urls = [];
registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
process.on('exit', () => {
  const own = process.moduleLoadList.map(name => name.replace(/^\\S+ /, 'node:'));
  const said = { urls: [...urls, ...own], cache: process.env.NODE_COMPILE_CACHE ?? null };
  writeFileSync(process.env.WATCHED, JSON.stringify(said));
});
`,
);

const start = (args: readonly string[], env: NodeJS.ProcessEnv = {}): string =>
  spawnSync(join(ROOT, 'bin/syndrome'), args, { env: { ...process.env, ...env }, timeout: 25_000, encoding: 'utf8' })
    .stderr;

/** The modules that a command loads, Node's own too, and the compile cache that what it starts would have. */
function loadedBy(...args: string[]): { urls: string[]; cache: string | null } {
  const WATCHED = join(dir, 'said.json');
  start(args, { WATCHED, NODE_OPTIONS: `--import=${pathToFileURL(watcher).href}` });
  return JSON.parse(readFileSync(WATCHED, 'utf8')) as { urls: string[]; cache: string | null };
}

test('a run loads no debugger, no other host layer, no report and no package that it has no use for', () => {
  // Refused once all is loaded, with no machine and no cache.
  const { urls } = loadedBy('run', 'no-such-scenario');
  const own = urls.filter(url => url.includes('/packages/'));
  expect(own.some(url => url.endsWith('/lab/src/session.ts'))).toBe(true);
  const needless =
    /\/qemu\/src\/gdb\/|\/qmp\/ghes\.ts|\/supervisor\/|\/packages\/web\/|\/fleet\.ts|\/drill|host-local|probe-kvm|crash-kernel|\/report\/(?:junit|ktap|repeat|matrix)|\/supply\/(?:extras|inspect|kexec|node)\.ts|initramfs|xen-mcelog/;
  expect(own.filter(url => needless.test(url))).toEqual([]);
});

test('from the second start on nothing strips types, and what a command starts does not see its compile cache', () => {
  loadedBy('--version');
  const { urls, cache } = loadedBy('--version');
  expect(urls).toContain('node:internal/modules/esm/loader');
  expect(urls.filter(url => /amaro/.test(url))).toEqual([]);
  expect(cache).toBe(null);
});

/** Of an agent whose folder cannot be: it ends once all is loaded. */
const site = join(dir, 'site.yaml');
writeFileSync(site, JSON.stringify({ folder: dir, agent: { host: 'a', folder: '/dev/null/agent' } }), { mode: 0o600 });

test('an agent loads nothing of what others do with what it reads, nor of what its host does not have', () => {
  const { urls } = loadedBy('agent', '--config', site);
  const own = urls.filter(url => url.includes('/packages/'));
  expect(own.some(url => url.endsWith('/supervisor/src/agent/agent.ts'))).toBe(true);
  // Forecasts, injections, what is said of records, whole decoded records; what decides, tells and keeps; libvirt where none is named.
  const needless =
    /\/decode\/src\/(?:outlook|inject|triage|bundle)\/|\/mca\/(?:explain|lint|next-step|of-record|named)|\/decode\/src\/decode\/(?!mca-place|place)|\/libvirt|\/qemu\/src\/(?:xml|gdb)\/|\/packages\/(?:lab|trace|vmm|web)\/|\/supervisor\/src\/(?:policy|notify|controller)\/|\/base\/src\/store\//;
  // Names that are in the help of commands, and how JSON and colours are drawn.
  const light = [
    '/outlook/consumer.ts',
    '/decode/form.ts',
    '/lab/src/engine/engine.ts',
    '/report/json.ts',
    '/report/style.ts',
    '/trace/src/axes.ts',
    '/trace/src/style.ts',
  ];
  expect(own.filter(url => needless.test(url) && !light.some(file => url.endsWith(file)))).toEqual([]);
  expect(urls.filter(url => /^node:(?:https?|http2|tls|sqlite|inspector)$/.test(url))).toEqual([]);
});

test('what looks at a ledger loads no controller', () => {
  const { urls } = loadedBy('store', 'export', join(dir, 'out'), '--store', join(dir, 'no-such-ledger'));
  expect(urls.some(url => url.endsWith('/supervisor/src/controller/export.ts'))).toBe(true);
  const needless =
    /\/controller\/(?:controller|leader|committer|listen|agents|admin|outbox|fence)\.ts$|\/supervisor\/src\/notify\/deliver/;
  expect(urls.filter(url => needless.test(url))).toEqual([]);
});

test('agents and other commands leave the code that is kept for the others as it is', () => {
  /** Whose code V8 did not take, of what such a start finds in the cache. */
  const refused = (...args: string[]): string[] =>
    start(args, { NODE_DEBUG_NATIVE: 'COMPILE_CACHE' })
      .split('\n')
      .filter(line => line.includes('was rejected') && !/\/(?:main|stay-small)\.ts /.test(line));
  start(['--version']);
  start(['agent', '--config', site]);
  expect(refused('--version')).toEqual([]);
  expect(refused('agent', '--config', site)).toEqual([]);
});

/** Nothing hostile on a screen: the program as a user starts it, with text of an attacker wherever text comes from. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { HOSTILE } from '../scripts/fuzz/oracles.ts';
import { TRACE_VERSION } from '@syndrome/trace/event.ts';
import { type Peer, type PeerServer, peerServer } from '@syndrome/qemu/qmp/testing/peer.ts';
import { Sandbox } from './program.ts';

const ROOT = join(import.meta.dirname, '..');

/** Sets a title, a colour, clears the screen; turns around, hides, and tears lines. */
const EVIL = '\u001b]0;P\u0007\u001b[31m\u009b2J\u202e\u200b\u{e0041}\u3164';
const SHOWN = '\\x1b]0;P\\x07\\x1b[31m\\x9b2J\\u{202e}\\u{200b}\\u{e0041}\\u{3164}';

/** A pattern that any part of it is. */
const PATTERN = EVIL.replaceAll(/[[\]]/g, '.');

let sandbox: Sandbox;
beforeAll(() => {
  sandbox = new Sandbox();
  sandbox.env.SYNDROME_CACHE = join(sandbox.dir, 'cache');
});
afterAll(() => sandbox.remove());

const inDir = (name: string): string => join(sandbox.dir, name);

/** Both outputs hold nothing that a screen obeys or hides; what an attacker wrote is looked for by the test. */
function clean({ stdout, stderr }: { stdout: string; stderr: string }): void {
  for (const line of [...stdout.split('\n'), ...stderr.split('\n')]) expect(line).not.toMatch(HOSTILE);
}

describe('a log', () => {
  // Sequences of colour are taken out of a log when it is read.
  const shown = SHOWN.replace('\\x1b[31m', '');
  const line = `[    1.0] Memory failure: 0x1234: Sending SIGBUS to a${EVIL}b:1 due to hardware memory corruption\n`;

  test.each([[[]], [['--brief']], [['--raw']], [['--table', '--full']]])(
    'decode %j shows its control characters',
    async (args: string[]) => {
      sandbox.write('evil.log', line.repeat(3));
      const ended = await sandbox.run('decode', ...args, inDir('evil.log'));
      clean(ended);
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      expect(ended.stdout).toContain(args[0] === '--raw' ? 'a\\u001b]0;P' : `a${shown}b`);
    },
  );

  test('decode --json keeps the value', async () => {
    sandbox.write('evil.log', line);
    const ended = await sandbox.run('decode', '--json', inDir('evil.log'));
    clean(ended);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      raw: { fields: { comm: `a${EVIL.replace('\u001b[31m', '')}b` } },
    });
  });

  test('in colour only the styles of the program come out', async () => {
    sandbox.write('evil.log', line);
    const { stdout } = await sandbox.run('--color', 'decode', inDir('evil.log'));
    expect(stdout).toContain(`\u001b[1m`);
    expect(stdout).toContain(shown);
    // oxlint-disable-next-line no-control-regex
    clean({ stdout: stdout.replaceAll(/\u001b\[(?:1|2|22)m/g, ''), stderr: '' });
  });

  test('its name is shown too, in records and in remarks', async () => {
    const name = `evil${EVIL}.log`;
    sandbox.write(name, line);
    for (const args of [['--brief'], [], ['--json']]) {
      const ended = await sandbox.run('decode', ...args, inDir(name));
      clean(ended);
      expect(ended.stdout).toContain(args[0] === '--json' ? 'evil\\u001b]0;P\\u0007' : `evil${SHOWN}`);
    }
    sandbox.write(name, 'nothing\n');
    const nothing = await sandbox.run('decode', inDir(name));
    clean(nothing);
    expect([nothing.code, nothing.stderr]).toEqual([4, expect.stringContaining(SHOWN)]);
  });
});

describe('a QMP peer', () => {
  let server: PeerServer;
  beforeAll(async () => {
    server = await peerServer();
  });
  afterAll(() => server.close());
  const running = new Set<ReturnType<Sandbox['start']>>();
  afterEach(async () => {
    for (const { child, ended } of running) {
      child.kill();
      await ended;
    }
    running.clear();
  });

  async function watched(...args: string[]): Promise<{ watch: ReturnType<Sandbox['start']>; peer: Peer }> {
    const accepted = server.accept();
    const watch = sandbox.start('watch', '--qmp', server.path, ...args);
    running.add(watch);
    const peer = await accepted;
    await peer.greet();
    const { execute, id } = await peer.command();
    expect(execute).toBe('query-status');
    await peer.say({ return: { status: `running${EVIL}`, running: true, singlestep: false }, id });
    return { watch, peer };
  }

  test('watch shows what it says of its status and events', async () => {
    const { watch, peer } = await watched('--all');
    await watch.until('Ctrl-C ends the watch');
    const timestamp = { seconds: 1, microseconds: 0 };
    await peer.say(
      { event: 'RESET', data: { guest: true, reason: EVIL }, timestamp },
      { event: `ODD${EVIL}`, data: { [EVIL]: EVIL }, timestamp },
      { event: 'RESET', data: { guest: true, reason: 'the last' }, timestamp },
    );
    await watch.until('the last');
    peer.socket.destroy();
    const ended = await watch.ended;
    clean(ended);
    expect(ended.stderr).toContain(`running${SHOWN}`);
    expect(ended.stdout).toContain(`RESET ${SHOWN}`);
  });

  test('its words in an error are shown', async () => {
    const accepted = server.accept();
    const watch = sandbox.start('watch', '--qmp', server.path);
    running.add(watch);
    const peer = await accepted;
    await peer.greet();
    const { id } = await peer.command();
    await peer.say({ error: { class: `Odd${EVIL}`, desc: `no${EVIL}\nline` }, id });
    const ended = await watch.ended;
    clean(ended);
    expect([ended.code, ended.stderr]).toEqual([3, expect.stringContaining(`no${SHOWN}\\x0aline`)]);
  });
});

describe('NODE_OPTIONS', () => {
  const environment = (): NodeJS.ProcessEnv => ({ ...sandbox.env, NODE_OPTIONS: `--require=/nowhere/x${EVIL}` });

  // In any locale: some take bytes for characters, and some a byte for a character.
  test.each(['C', 'C.UTF-8', 'nonsense'])('what the starter tells of them, LC_ALL=%s', locale => {
    const ended = spawnSync(join(ROOT, 'bin/syndrome'), ['scenarios'], {
      env: { ...environment(), LC_ALL: locale },
      encoding: 'utf8',
    });
    clean(ended);
    expect(ended).toMatchObject({ status: 3, stdout: '' });
    expect(ended.stderr).toMatch(/^syndrome: Node does not start .*Cannot find module '\/nowhere\/x\?\]0;P\?\?\[31m/);
  });

  test('what the set-up tells of them', () => {
    // The Node that runs the set-up starts without them, and hands them on: as where they suit that one alone.
    const hand = `process.env.NODE_OPTIONS = process.env.EVIL; process.argv.splice(1, 0, '');
      await import(process.env.SETUP);`;
    const ended = spawnSync(process.execPath, ['--input-type=module', '-e', hand, 'scripts/child.mjs'], {
      env: {
        ...sandbox.env,
        NODE_OPTIONS: '',
        EVIL: environment().NODE_OPTIONS,
        SETUP: join(ROOT, 'scripts/setup.mjs'),
      },
      encoding: 'utf8',
    });
    clean(ended);
    expect(ended).toMatchObject({ status: 3, stdout: '' });
    expect(ended.stderr).toMatch(/^syndrome set-up: Node does not start .*\/nowhere\/x\\u\{1b\}\]0;P/);
  });
});

test('show of a trace of somebody else', async () => {
  const header = {
    type: 'trace',
    version: TRACE_VERSION,
    tool: EVIL,
    scenario: `s${EVIL}`,
    startedAt: EVIL,
    settle: 0,
  };
  const events = [
    { seq: 1, t: 0, layer: 'lab', source: 'lab', name: 'lab.note', fields: { text: `note${EVIL}\nline` } },
    {
      seq: 2,
      t: 1,
      layer: 'guest',
      source: 'console',
      raw: `raw${EVIL}`,
      name: 'guest.panic',
      fields: { message: EVIL },
    },
    { seq: 3, t: 2, layer: 'lab', source: 'lab', name: 'lab.error', fields: { code: EVIL, message: EVIL, hint: EVIL } },
  ];
  const first = {
    ...header,
    expect: [`never: guest.panic message~${PATTERN}`],
    outcome: EVIL,
    parts: { qemu: EVIL, [EVIL]: EVIL },
  };
  sandbox.write('evil.ndjson', [first, ...events].map(e => `${JSON.stringify(e)}\n`).join('') + `damage${EVIL}\n`);
  for (const args of [[], ['--all'], ['--json']]) {
    const ended = await sandbox.run('show', inDir('evil.ndjson'), ...args);
    clean(ended);
    const text = args[0] === '--json' ? 's\\u001b]0;P' : `s${SHOWN}`;
    expect(ended.stdout).toContain(text);
  }
  sandbox.write('other.ndjson', `${JSON.stringify({ ...first, parts: {} })}\n`);
  for (const args of [[], ['--json']]) {
    const ended = await sandbox.run('compare', inDir('evil.ndjson'), inDir('other.ndjson'), ...args);
    clean(ended);
    expect(ended.stdout).toContain(args[0] === '--json' ? 's\\u001b]0;P' : `s${SHOWN}`);
  }
});

/** A scenario file with hostile text wherever a scenario has text. */
function evilScenario(name: string): string {
  const text = JSON.stringify(`text${EVIL}\nline`);
  const path = inDir(name);
  writeFileSync(
    path,
    `name: evil
title: ${JSON.stringify(`title${EVIL}`)}
about: ${text}
why: ${text}
sources: [${text}]
machine: { kind: linux-guest, append: ${JSON.stringify(`quiet${EVIL}`)} }
steps:
  - spawn: { process: victim }
expect:
  - never: ${JSON.stringify(`guest.panic message~${PATTERN}`)}
outcome: none
`,
  );
  return path;
}

test('scenarios of somebody else, and what is wrong with one', async () => {
  const explained = await sandbox.run('scenarios', '--explain', evilScenario(`e${EVIL}.yaml`));
  clean(explained);
  for (const said of [`title${SHOWN}`, `text${SHOWN}`, `quiet${SHOWN}`, `e${SHOWN}.yaml`])
    expect(explained.stdout).toContain(said);
  const json = await sandbox.run('scenarios', '--json', evilScenario('e.yaml'));
  clean(json);
  expect(JSON.parse(json.stdout)).toMatchObject({ title: `title${EVIL}` });
  writeFileSync(inDir('bad.yaml'), `name: evil\n${JSON.stringify(`key${EVIL}`)}: 1\n`);
  const bad = await sandbox.run('scenarios', inDir('bad.yaml'));
  clean(bad);
  expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('key\\x1b')]);
});

test('a matrix over kernels whose names are hostile, as table, page and JSON', async () => {
  const image = Buffer.alloc(4096);
  image.write('HdrS', 0x202, 'latin1');
  const kernel = inDir(`k${EVIL}`);
  writeFileSync(kernel, image);
  // A semicolon stands between models.
  const cpu = `max${EVIL.replace(';', '')}`;
  const page = inDir('m.html');
  const args = ['matrix', evilScenario('m.yaml'), '--offline', '--guest-kernel', kernel, '--cpu', `${cpu};max`];
  const ended = await sandbox.run(...args, '--html', page);
  clean(ended);
  expect(ended.stdout).toContain(SHOWN);
  expect(ended.stderr).toContain(`k${SHOWN}`);
  const html = readFileSync(page, 'utf8');
  clean({ stdout: html, stderr: '' });
  expect(html).toContain(`title${SHOWN}`);
  const json = await sandbox.run(...args, '--json');
  clean(json);
  expect(JSON.parse(json.stdout)).toMatchObject({
    cells: [{ cell: { kernel, cpu } }, { cell: { kernel, cpu: 'max' } }],
  });
});

test('a run with its reports', async () => {
  const junit = inDir('r.xml');
  mkdirSync(inDir(`cache${EVIL}`));
  const ended = await sandbox.run(
    'run',
    evilScenario('r.yaml'),
    '--offline',
    '--ktap',
    '--junit',
    junit,
    '--cache',
    inDir(`cache${EVIL}`),
  );
  clean(ended);
  expect(ended.stderr).toContain(`title${SHOWN}`);
  clean({ stdout: readFileSync(junit, 'utf8'), stderr: '' });
  expect(ended.stdout).toContain('not ok 1 evil');
});

test.each<{ args: string[] }>([
  { args: [`rum${EVIL}`] },
  { args: ['run', `--al${EVIL}`] },
  { args: ['run', `no${EVIL}`] },
  { args: ['run', `./no${EVIL}.yaml`] },
  { args: ['run', 'xen-ce', '--exit-code', EVIL] },
  { args: ['run', 'xen-ce', '--timeout', EVIL] },
  { args: ['run', 'xen-ce', '--kernel', `./no${EVIL}`] },
  { args: ['run', 'xen-ce', '--junit', `/no${EVIL}/r.xml`] },
  { args: ['decode', `./no${EVIL}.log`] },
  { args: ['decode', `status=${EVIL}`] },
  { args: ['decode', '--explain', EVIL] },
  { args: ['decode', '--cpuid', EVIL, '0x1'] },
  { args: ['predict', `no${EVIL}`] },
  { args: ['predict', '--set', `version=${EVIL}`, 'srao'] },
  { args: ['encode', `memory`, `foo${EVIL}=1`] },
  { args: ['encode', 'sea', EVIL] },
  { args: ['inject', `kind${EVIL}`] },
  { args: ['watch', '--qmp', `/no${EVIL}/socket`] },
  { args: ['show', `/no${EVIL}`] },
  { args: ['supply', 'fetch', `part${EVIL}`] },
  { args: ['supply', 'where', `kernel=${EVIL}`, '--offline'] },
  { args: ['help', EVIL] },
])('a command line with hostile words, case %#', async ({ args }) => {
  const ended = await sandbox.run(...args);
  clean(ended);
  expect([0, 2, 3]).toContain(ended.code);
  expect(ended.stdout + ended.stderr).not.toBe('');
});

test('a path that a script asks for is exact, in a list for people it is shown', async () => {
  const cache = inDir(`cache${EVIL}`);
  const where = await sandbox.run('supply', 'where', '--cache', cache);
  expect(where).toMatchObject({ code: 0, stdout: `${cache}\n`, stderr: '' });
  const list = await sandbox.run('supply', 'list', '--offline', '--cache', cache);
  clean(list);
  expect(list.stdout).toContain(`cache${SHOWN}`);
});

test('the stack of a defect of ours may hold anything', async () => {
  const server = await peerServer();
  try {
    sandbox.env.SYNDROME_TEST = EVIL;
    const accepted = server.accept();
    const thrower = `process.on("SIGUSR2", () => { throw new Error("odd" + process.env.SYNDROME_TEST + "\\nline") })`;
    sandbox.env.NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(thrower)}`;
    const watch = sandbox.start('watch', '--qmp', server.path);
    const peer = await accepted;
    await peer.greet();
    watch.child.kill('SIGUSR2');
    const ended = await watch.ended;
    clean(ended);
    expect([ended.code, ended.stderr]).toEqual([3, expect.stringContaining(`odd${SHOWN}\nline\n`)]);
  } finally {
    delete sandbox.env.NODE_OPTIONS;
    delete sandbox.env.SYNDROME_TEST;
    await server.close();
  }
});

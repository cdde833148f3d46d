/** The files that commands read and write, given as what they should not be; and how soon a command then ends. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, symlinkSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram } from '@syndrome/cli/program.ts';
import { type Peer, peerServer } from '@syndrome/qemu/qmp/testing/peer.ts';
import { Sandbox } from './program.ts';

const sandbox = new Sandbox();
const at = (name: string): string => join(sandbox.dir, name);
const TRACE = `${JSON.stringify({ type: 'trace', version: 1, tool: 't', scenario: 's', startedAt: '', expect: [], settle: 0, parts: {} })}\n`;

/** Opens a named pipe to write, once somebody is there to read it. */
async function letIn(path: string): Promise<number> {
  for (const end = Date.now() + 20_000; ; await new Promise(resolve => setTimeout(resolve, 10))) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO' || Date.now() > end) throw error;
    }
  }
}

beforeAll(() => {
  sandbox.env['SYNDROME_CACHE'] = at('cache');
  execFileSync('mkfifo', [at('pipe'), at('pipe.yaml')]);
  mkdirSync(at('folder'));
  sandbox.write('trace', TRACE);
  sandbox.write('section.json', '{"kind":"memory"}');
});
afterAll(() => sandbox.remove());

/** Every option that writes a file, on a command that would work for long or for ever if it were taken. */
const WRITES: readonly (readonly [string, string[]])[] = [
  ['--trace', ['run', 'intel-uc-fatal', '--offline']],
  ['--trace', ['einj', '--offline', '/bin/true']],
  ['--junit', ['run', 'intel-uc-fatal', '--offline']],
  ['--html', ['run', 'intel-uc-fatal', '--offline']],
  ['--html', ['show', 'trace']],
  ['--html', ['compare', 'trace', 'trace']],
  ['--html', ['decode', '0xbd80000000000134']],
  ['--html', ['matrix', 'intel-uc-fatal', '--offline', '--guest-kernel', 'all']],
  ['--html', ['bisect', 'intel-uc-fatal', '--offline', '--good', '7.1.13', '--bad', '7.2.12']],
  ['--html', ['map', 'intel-status']],
  ['--out', ['encode', 'memory', 'physicalAddress=0x1000']],
  ['--out', ['encode', '--from-json', 'section.json']],
];

describe('an output is looked at before the work: exit code 2, and nothing is made', () => {
  test.each(WRITES.flatMap(([flag, args]) => ['folder', 'pipe'].map(file => [flag, file, args] as const)))(
    '%s %s of %j',
    async (flag, file, args) => {
      const path = at(file);
      const given = args.map(a => (a.endsWith('.json') ? at(a) : a));
      const { code, stdout, stderr } = await sandbox.run(...given, `${flag}=${path}`);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain(`${flag} ${path}: `);
      expect(stderr).toContain('[E_USAGE_FILE]');
      expect(stderr).not.toMatch(/\n\s+at /);
    },
  );

  test('all options that write files are in this table', () => {
    const commands = (command: Command): Command[] => [command, ...command.commands.flatMap(commands)];
    const named = commands(buildProgram()).flatMap(command =>
      command.options.filter(o => /<file[|>]/.test(o.flags)).map(o => `${command.name()} ${o.long}`),
    );
    const known = WRITES.map(([flag, args]) => `${args[0]} ${flag}`);
    // What is read.
    const reads = [
      'encode --from-json',
      'decode --dmidecode',
      'drill --config',
      'supervise --config',
      'agent --config',
      'controller --config',
      'attest --token',
      'confirm --token',
      ...commands(buildProgram())
        .filter(c => ['fleet', 'policy', 'store', 'audit'].includes(c.parent?.name() ?? ''))
        .flatMap(c =>
          c.options
            .filter(o => /^--(?:config|ledger|store|password-file)$/.test(o.long ?? ''))
            .map(o => `${c.name()} ${o.long}`),
        ),
    ];
    expect(new Set(named)).toEqual(new Set([...known, ...reads]));
  });
});

describe('a file to read that has no end, or waits for a writer', () => {
  test.each<[string[], string]>([
    [['show', '/dev/zero'], 'the trace /dev/zero could not be read: not a regular file but a character device'],
    [['show', '$/pipe'], 'not a regular file but a named pipe'],
    [['show', '$/folder'], 'not a regular file but a folder'],
    [['run', '$/pipe.yaml'], 'pipe.yaml cannot be read: not a regular file but a named pipe'],
    [['scenarios', '/dev/zero'], 'cannot be read: not a regular file but a character device'],
    [['matrix', '$/pipe.yaml'], 'not a regular file'],
    [['bisect', '$/pipe.yaml', '--good', '7.1', '--bad', '7.2'], 'not a regular file'],
    [['supply', 'where', 'kernel=$/pipe', '--offline'], 'pipe is not a regular file but a named pipe'],
    [['supply', 'fetch', 'xen=$/pipe', '--offline'], 'pipe is not a regular file but a named pipe'],
    [['encode', '--from-json', '/dev/zero'], '/dev/zero is a device [E_INPUT]'],
    [['supervise', '--check', '--config', '/dev/zero'], 'not a regular file but a character device'],
    [
      ['drill', 'srao', '--addr', '0x1000', '--config', '$/pipe', '--vm', 'v', '--qmp', '/none'],
      'not a regular file but a named pipe',
    ],
    [['agent', '--config', '$/pipe'], 'not a regular file but a named pipe'],
    [['fleet', 'status', '--config', '$/pipe'], 'not a regular file but a named pipe'],
    [['fleet', 'policy', 'check', '/dev/zero'], 'not a regular file but a character device'],
    [['fleet', 'policy', 'explain', '$/pipe'], 'not a regular file but a named pipe'],
    [['fleet', 'replay', '--ledger', '$/pipe'], 'not a regular file but a named pipe'],
    [['store', 'check', '--config', '$/pipe'], 'not a regular file but a named pipe'],
    [['store', 'check', '--store', '$/pipe'], 'not a regular file but a named pipe'],
    [['audit', 'verify', '--store', '$/pipe'], 'not a regular file but a named pipe'],
    [['audit', 'list', '--config', '$/pipe'], 'not a regular file but a named pipe'],
    [['store', 'import', '$/pipe', '--store', '$/new.db'], 'not a regular file but a named pipe'],
    [['report', '/dev/zero', '--out', '$/site'], 'the folder /dev/zero cannot be looked at'],
    [['report', '$/pipe', '--out', '$/site'], 'cannot be looked at'],
    [['report', '$/folder', '--out', '$/pipe'], 'pipe: not a folder'],
    [['decode', '/dev/zero'], '/dev/zero is a device [E_INPUT]'],
    [['predict', '/dev/urandom'], '/dev/urandom is a device [E_INPUT]'],
  ])('%j is refused', async (args, message) => {
    const { code, stdout, stderr } = await sandbox.run(...args.map(a => a.replace('$', sandbox.dir)));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  test.each([
    ['show', 'cat trace | "$SYNDROME" show /dev/stdin', 3],
    ['show', '"$SYNDROME" show <(cat trace)', 3],
    ['decode', '(echo 0xbd80000000000134 >pipe &) ; "$SYNDROME" decode ./pipe --from value', 0],
    ['decode', 'echo 0xbd80000000000134 | "$SYNDROME" decode /dev/stdin --from value', 0],
  ])('%s reads a pipe that is written to: %s', (_command, script, code) => {
    const { status, stdout, stderr } = sandbox.shell(`cd ${sandbox.dir}; ${script}`);
    expect([status, stderr]).toEqual([code, '']);
    expect(stdout).not.toBe('');
  });

  test('a trace without an end, in a pipe, is one line that is too long, or no trace', () => {
    const lines = sandbox.shell(`(cat ${at('trace')}; yes) | "$SYNDROME" show /dev/stdin`);
    expect([lines.status, lines.stderr]).toEqual([2, expect.stringContaining('of its lines are no events')]);
    const line = sandbox.shell(`yes | tr -d '\\n' | "$SYNDROME" show /dev/stdin`);
    expect([line.status, line.stderr]).toEqual([2, expect.stringContaining('[E_LAB_TRACE_FORMAT]')]);
  });

  test('what is no trace is said at once, also while its writer goes on', async () => {
    const shell = sandbox.shell('"$SYNDROME" show <(echo x; exec sleep 1000); echo "code $?"; kill $!');
    expect(shell.stdout).toBe('code 2\n');
  });

  test.each([
    [['decode', '$/pipe'], 'SIGTERM'],
    [['decode', '$/pipe'], 'SIGINT'],
    [['encode', '--from-json', '$/pipe'], 'SIGTERM'],
  ] as const)('%j ends by %s while it waits', async (args, signal) => {
    const running = sandbox.start(...args.map(a => a.replace('$', sandbox.dir)));
    // A writer is let in as soon as the reader is there; what it does then is to wait for what the writer says.
    const writer = await letIn(at('pipe'));
    running.child.kill(signal);
    expect((await running.ended).signal).toBe(signal);
    closeSync(writer);
  });
});

test('a matrix whose page is lost prints its table, and is exit code 3', async () => {
  const run = ['matrix', 'intel-uc-fatal', '--offline', '--guest-kernel', '7.2,7.1', '--html', '/dev/full'];
  const { code, stdout, stderr } = await sandbox.run(...run);
  expect(code).toBe(3);
  expect(stdout).toMatch(/7\.2.*error/);
  expect(stderr).toMatch(/the page \/dev\/full could not be written: ENOSPC.*\[E_REPORT\]\nThe table stands above/);
});

test.each([
  ['show', 'trace'],
  ['compare', 'trace', 'trace'],
  ['decode', '0xbd80000000000134'],
])('a full disk under the page of %s is said with a code, and is exit code 3', async (...words) => {
  const given = words.map(word => (word === 'trace' ? at(word) : word));
  const { code, stdout, stderr } = await sandbox.run(...given, '--html', '/dev/full');
  expect([code, stdout]).toEqual([3, '']);
  expect(stderr).toMatch(/the page \/dev\/full could not be written: ENOSPC.*\[E_OUTPUT\]\nName another place/);
  expect(stderr).not.toMatch(/\n\s+at /);
});

test('- is stdout where a page is written, and no file of that name', () => {
  const { status } = sandbox.shell(`"$SYNDROME" decode 0xbd80000000000134 --html - | cat >${at('page')}`);
  expect([status, existsSync(at('-')), existsSync('-')]).toEqual([0, false, false]);
  expect(readFileSync(at('page'), 'utf8')).toMatch(/^<!doctype html>.*<\/html>\s*$/is);
});

test('a run whose report is lost prints its distribution', async () => {
  const { code, stdout, stderr } = await sandbox.run(
    'run',
    'xen-ce',
    '--offline',
    '--repeat',
    '2',
    '--junit',
    '/dev/full',
  );
  expect([code, stderr]).toEqual([3, expect.stringContaining('[E_REPORT]')]);
  expect(stdout).toMatch(/^xen-ce\b.*2 runs/m);
});

test('a trace and a report to stdout are added to what the shell has opened', () => {
  const { status } = sandbox.shell(
    `"$SYNDROME" run xen-ce --offline -q --junit /dev/stdout --trace /dev/stdout >${at('all')}`,
  );
  const text = readFileSync(at('all'), 'utf8');
  expect(status).toBe(3);
  expect(text).toMatch(/^\{"type":"trace"/m);
  expect(text).toMatch(/^error +xen-ce/im);
  expect(text).toMatch(/^<\/testsuite>$/m);
});

test('an output through a symbolic link stays one', async () => {
  mkdirSync(at('far'));
  symlinkSync(at('far/r.xml'), at('r.xml'));
  await sandbox.run('run', 'xen-ce', '--offline', '--junit', at('r.xml'));
  expect(readFileSync(at('far/r.xml'), 'utf8')).toContain('<testsuite');
});

describe('with a pipe that is full and that nobody reads', () => {
  test.each(['--trace', '--junit'])('run %s ends by a signal', flag => {
    const { stdout } = sandbox.shell(`
      exec 3> >(exec sleep 1000); reader=$!
      dd if=/dev/zero of=/dev/fd/3 oflag=nonblock bs=4096 2>${at('dd')}
      "$SYNDROME" run xen-ce --offline ${flag} /dev/fd/3 >${at('said')} 2>&1 & run=$!
      for n in $(seq 600); do grep -q '${flag === '--trace' ? 'lab  ' : 'ERROR  xen-ce'}' ${at('said')} && break; sleep 0.05; done
      kill -TERM $run; wait $run; echo "code $?"; kill $reader`);
    expect(readFileSync(at('dd'), 'utf8')).toContain('temporarily unavailable');
    expect(stdout).toBe('code 143\n');
  });
});

describe('watch ends after its own error', () => {
  const GREETING = `${JSON.stringify({ QMP: { version: { qemu: { micro: 0, minor: 2, major: 10 }, package: '' }, capabilities: [] } })}\r\n`;
  const servers: net.Server[] = [];
  afterAll(() => servers.forEach(server => server.close()));

  test.each<[string, object]>([
    ['a status that is no word', { return: { status: 5, running: true } }],
    ['an error', { error: { class: 'GenericError', desc: 'no' } }],
  ])('%s', async (name, answer) => {
    const path = at(`${name.replaceAll(' ', '')}.sock`);
    const server = net.createServer(socket => {
      socket.on('error', () => {});
      socket.write(GREETING);
      let text = '';
      socket.on('data', chunk => {
        text += chunk.toString();
        const lines = text.split('\n');
        text = lines.pop() ?? '';
        for (const line of lines) {
          const { execute, id } = JSON.parse(line) as { execute: string; id: unknown };
          socket.write(`${JSON.stringify({ ...(execute === 'query-status' ? answer : { return: {} }), id })}\r\n`);
        }
      });
    });
    servers.push(server);
    await new Promise<void>(resolve => server.listen(path, resolve));
    const { code, stderr } = await sandbox.run('watch', '--qmp', path);
    expect([code, stderr]).toEqual([3, expect.stringMatching(/\[E_QMP_/)]);
  });

  test('a peer that says nothing ends a watch of a given length, too', async () => {
    const path = at('silent.sock');
    const server = net.createServer(socket => void socket.on('error', () => {}));
    servers.push(server);
    await new Promise<void>(resolve => server.listen(path, resolve));
    const { code, stderr } = await sandbox.run('watch', '--qmp', path, '--for', '0.5');
    expect(code).toBe(3);
    expect(stderr).toMatch(/\b500 ms\b.*\[E_QMP_DEADLINE\]|\b0\.5 s\b.*\[E_QMP_DEADLINE\]/);
  });

  test.each<[string, number, RegExp, (peer: Peer) => Promise<unknown> | void]>([
    [
      'an event that is none',
      3,
      /^syndrome: .* \[E_QMP_PROTOCOL\]$/m,
      peer => peer.say({ event: 'ACPI_DEVICE_OST', timestamp: 5, data: ['x'] }),
    ],
    ['a peer that hangs up', 0, /^the VM closed the connection: /m, peer => void peer.socket.end()],
  ])('%s, while it watches, is exit code %i', async (_name, code, said, then) => {
    const peers = await peerServer();
    try {
      const accepted = peers.accept();
      const running = sandbox.start('watch', '--qmp', peers.path);
      const peer = await accepted;
      await peer.greet();
      const { id } = await peer.command();
      await peer.say({ return: { status: 'running', running: true, singlestep: false }, id });
      await running.until('Ctrl-C ends the watch');
      await then(peer);
      const ended = await running.ended;
      expect([ended.code, ended.stdout, ended.stderr]).toEqual([code, '', expect.stringMatching(said)]);
      expect(ended.stderr.includes('the VM closed')).toBe(code === 0);
    } finally {
      await peers.close();
    }
  });

  test('a socket that is not there is said once', async () => {
    const { code, stderr } = await sandbox.run('watch', '--qmp', at('none.sock'));
    expect([code, stderr.split('\n')[0]]).toEqual([
      3,
      `syndrome: cannot connect to ${at('none.sock')}: connect ENOENT ${at('none.sock')} [E_QMP_CONNECT]`,
    ]);
  });
});

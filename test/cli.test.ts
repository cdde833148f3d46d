/** The command line as a user meets it: help, usage errors and exit codes. No machine, no network, an empty cache. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram } from '@syndrome/cli/program.ts';
import { makeDerived } from '@syndrome/base/disk/derived.ts';
import { NAMED_MCA } from '@syndrome/decode/mca/named.ts';
import { GREETING } from '@syndrome/qemu/qmp/testing/peer.ts';
import { bundledScenarios } from '@syndrome/lab/scenario/load.ts';
import { type Ended, runInside } from './inside.ts';
import { Sandbox } from './program.ts';

const ROOT = join(import.meta.dirname, '..');
let sandbox: Sandbox;
beforeAll(() => {
  sandbox = new Sandbox();
  sandbox.env.SYNDROME_CACHE = join(sandbox.dir, 'cache');
  sandbox.write('readme', 'not a kernel');
  sandbox.write('qemu', '#!/bin/sh\necho no emulator\n');
  execFileSync('mkfifo', [join(sandbox.dir, 'pipe'), join(sandbox.dir, 'pipe.yaml')]);
  mkdirSync(join(sandbox.dir, 'folder'));
});
afterAll(() => sandbox.remove());

const inside = (...args: string[]): Promise<Ended> => runInside(sandbox.env, args);

/** Every command with the words that lead to it. */
function commands(command: Command, path: string[] = []): [string, Command][] {
  return [
    [path.join(' '), command],
    ...command.commands.flatMap(sub => commands(sub as Command, [...path, sub.name()])),
  ];
}

describe('help', () => {
  test.each(commands(buildProgram()))('syndrome %s --help', async (name, command) => {
    command.configureOutput({ getOutHelpWidth: () => 100, getOutHasColors: () => false });
    let help = '';
    command.configureOutput({ writeOut: text => void (help += text) });
    command.outputHelp();
    expect(command.description()).not.toBe('');
    for (const option of command.options) expect(option.description, option.flags).not.toBe('');
    const file = `golden/help/${name === '' ? 'syndrome' : name.replaceAll(' ', '-')}.txt`;
    await expect(help).toMatchFileSnapshot(file);
    // Every command shows how it is called; those of supply are too small to need it.
    if (!name.startsWith('supply')) expect(help).toMatch(/^Examples?:\n {2}/m);
  });
});

describe('what is wrong with the command line is exit code 2, and for git bisect 128', () => {
  const RUN = ['run', 'intel-uc-fatal', '--offline'];
  const LOCAL = ['run', 'amd-deferred', '--offline', '--host', 'local'];
  test.each<[string, string[], string]>([
    ['an unknown command', ['rum'], "unknown command 'rum'"],
    ['an unknown option', ['run', '--al'], "unknown option '--al'"],
    ['an option that is nearly one', [...RUN, '--timeot'], "'--timeot' [E_USAGE]\n(Did you mean --timeout?)\n"],
    ['the beginning of a scenario', ['run', 'intel-ce'], 'Did you mean "intel-ce-logged"?'],
    ['no scenario', ['run'], 'no scenario given'],
    ['names and --all', ['run', 'xen-ce', '--all'], 'not both'],
    ['an unknown scenario', ['run', 'xen-cee'], 'Did you mean "xen-ce"?'],
    ['a scenario file that is not there', ['run', './no.yaml'], './no.yaml cannot be read: no such file or directory'],
    ['a scenario that is a pipe', ['run', '$/pipe.yaml'], '/pipe.yaml cannot be read: not a regular file'],
    ['a time that is none', [...RUN, '--timeout', '-1'], 'expected seconds'],
    ['a kernel file that is not there', [...RUN, '--kernel', './no'], '--kernel ./no: there is no such file'],
    ['a kernel that is none', [...RUN, '--guest-kernel', '$/readme'], 'is not a Linux kernel image'],
    ['a kernel that is a pipe', [...RUN, '--kernel', '$/pipe'], 'not a regular file'],
    ['a kernel version that is none', [...RUN, '--kernel', 'latest-and-greatest'], 'is not a kernel version'],
    ['two kernels', [...RUN, '--kernel', '6.19', '--guest-kernel', '7.2'], 'cannot be used with'],
    ['an input that is not there', ['decode', './no.log'], 'there is no file ./no.log [E_INPUT]'],
    ['a QEMU that is not there', [...RUN, '--qemu', './no'], '--qemu ./no: there is no such file'],
    ['a QEMU that is none', [...RUN, '--qemu', '/bin/true'], 'does not answer --version like a QEMU'],
    ['a Xen that is a folder', ['run', 'xen-ce', '--offline', '--xen', '$/folder'], 'not a regular file'],
    ['firmware for x86', [...RUN, '--firmware', '$/readme'], '--firmware does not apply to intel-uc-fatal'],
    ['Xen without Xen', [...RUN, '--xen', '4.20'], '--xen does not apply'],
    ['a host kernel without a host', [...RUN, '--host-kernel', '7.2'], '--host-kernel does not apply'],
    ['a host QEMU without a host', [...RUN, '--host-qemu', 'qemu'], '--host-qemu does not apply'],
    [
      'a host QEMU where the VMM is none',
      ['run', 'arm64-sea-exit', '--host-qemu', 'qemu'],
      'does not apply to arm64-sea',
    ],
    ['a CPU where none is chosen', ['run', 'arm64-sea-exit', '--cpu', 'max'], '--cpu does not apply to arm64-sea-exit'],
    ['a kernel for this machine', [...LOCAL, '--host-kernel', '7.2'], '--host-kernel does not apply with --host local'],
    ['two QEMUs on this machine', [...LOCAL, '--qemu', 'a', '--host-qemu', 'b'], 'name the same QEMU'],
    ['emulation on this machine', [...LOCAL, '--accel', 'tcg'], '--accel tcg does not apply with --host local'],
    ['a seed on this machine', [...LOCAL, '--seed', '1'], '--seed does not apply with --host local'],
    ['a seed that is no number', [...RUN, '--seed', '-1'], 'expected a whole number'],
    ['a seed that no number holds', [...RUN, '--seed', '1234567890123456'], 'of up to 15 digits'],
    ['consent to nothing', [...RUN, '--poison-this-host'], '--poison-this-host does not apply without --host local'],
    ['firmware that is none', ['run', 'arm64-ghes-memory', '--firmware', '$/readme'], 'is not UEFI firmware'],
    ['a report in no folder', [...RUN, '--junit', '$/no/r.xml'], 'there is no folder'],
    [
      'a report where none can be made',
      [...RUN, '--junit', '/proc/r.xml'],
      '/proc/r.xml: nothing can be written to /proc',
    ],
    ['one trace for every scenario', ['run', '--all', '--trace', '$/t.ndjson'], '--trace is for one scenario'],
    ['two reports on stdout', [...RUN, '--json', '--ktap'], 'cannot be used with'],
    ['quiet and verbose', [...RUN, '-q', '-v'], 'cannot be used with'],
    ['a member that a section does not have', ['encode', 'memory', 'foo=1'], '[E_CPER_FIELD]'],
    ['a member that is no number', ['encode', 'memory', 'physicalAddress=zz'], '[E_CPER_JSON]'],
    ['a word of no syndrome', ['encode', 'sea', 'bogus'], '[E_ARM_WORD]'],
    ['a field that does not fit', ['encode', 'MCACOD=0x1ffff'], '[E_REGISTER_RANGE]'],
    ['a value that is none', ['decode', 'status=xyz'], 'no error record found (argument: '],
    ['a value of 65 bits', ['decode', '0x1ffffffffffffffff'], 'no error record found (argument: '],
    ['a register that is none', ['decode', 'statu=0xbd80000000000134'], 'no error record found (argument: '],
    ['a record that is none', ['predict', 'nosuch'], 'no record to predict from'],
  ])('%s', async (_what, args, message) => {
    const given = args.map(a => a.replace('$', sandbox.dir));
    const { code, stdout, stderr } = await inside(...given);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/ENOENT|\n\s+at /);
    if (args[0] === 'run') expect((await inside(...given, '--exit-code', 'bisect')).code).toBe(128);
  });

  test.each<[string[], string]>([
    [['inject'], 'what should be injected?'],
    [['inject', 'sroa'], 'Did you mean "srao"?'],
    [['inject', 'mce'], 'needs --status'],
    [['inject', 'ce'], 'needs --addr'],
    [['inject', 'ce', '--addr', '0x1', '--cpu', 'x'], '--cpu x'],
    [['inject', 'ce', '--addr', '0x1', '--severity', 'fatal'], '--severity does not apply to ce'],
    [['inject', 'ghes', '--addr', '1', '--cpu', '3', '--bank', '4'], '--cpu, --bank do not apply to ghes'],
    [['inject', 'ghes', '--addr', '1', '--no-broadcast'], '--no-broadcast does not apply to ghes'],
    [['inject', 'srar-data', '--addr', '0x1', '--qmp', '/no'], 'may kill or reset the guest; nothing was done'],
    [['inject', 'srao', '--addr', '0x1', '--no-broadcast', '--qmp', '/no'], 'nothing was done'],
    [['inject', 'mce', '--status', '0xbd80000000000134', '--qmp', '/no'], 'nothing was done'],
    [
      ['matrix', 'amd-deferred', '--offline', '--guest-kernel', '7.2,./no'],
      '--guest-kernel ./no: there is no such file',
    ],
    [['matrix', 'amd-deferred', '--offline', '--kernel', '$/readme'], 'is not a Linux kernel image'],
    [
      ['matrix', 'amd-deferred', '--kernel', '7.2', '--host-kernel', './no'],
      '--host-kernel ./no: there is no such file',
    ],
    [['matrix', 'amd-deferred', '--kernel', '7.2', '--qemu', './no'], '--qemu ./no: there is no such file'],
    [
      ['matrix', 'amd-deferred', '--offline', '--qemu', '7.2,10.0', '--guest-kernel', '7.0..7.2'],
      '--guest-kernel and --qemu both name several versions',
    ],
    [
      ['matrix', 'amd-deferred', '--offline', '--qemu', '7.2,10.0', '--host-qemu', 'all'],
      '--qemu and --host-qemu both name several versions',
    ],
    [['matrix', 'amd-deferred', '--offline', '--host-qemu', '10.0,./no'], '--host-qemu ./no: there is no such file'],
    [['matrix', 'amd-deferred', '--offline', '--xen', 'all'], '--xen does not apply to amd-deferred'],
    [['matrix', 'xen-ce', '--offline', '--xen', '4.17,four'], 'four is not a Xen version'],
    [['matrix', 'amd-deferred', '--kernel', 'newish'], 'newish is not a kernel version'],
    [['matrix', 'arm64-sea-exit', '--kernel', '7.2', '--host-qemu', 'q'], '--host-qemu does not apply'],
    [
      ['bisect', 'amd-deferred', '--good', '7.2.6', '--bad', '7.2.9', '--kernel', '7.2'],
      '--kernel does not apply to a bisection over kernels',
    ],
    [
      ['bisect', 'amd-deferred', '--over', 'host-qemu', '--good', '7.2', '--bad', '10.0', '--host-qemu', '11.1'],
      '--host-qemu does not apply to a bisection over host QEMU versions',
    ],
    [
      ['bisect', 'amd-deferred', '--over', 'xen', '--good', '4.17', '--bad', '4.20'],
      '--xen does not apply to amd-deferred',
    ],
    [
      ['bisect', 'amd-deferred', '--over', 'rust', '--good', '4.17', '--bad', '4.20'],
      'Allowed choices are guest-kernel, host-kernel, qemu, host-qemu, xen',
    ],
    [['bisect', 'xen-ce', '--good', '7.2.6', '--bad', '7.2.9', '--xen', './no'], '--xen ./no: there is no such file'],
    [['watch'], "required option '--qmp <socket>'"],
    [['show'], "missing required argument 'trace'"],
    [['show', 'no-such'], 'no such file or directory'],
    [['supply', 'fetch', 'no-such'], 'there is no part "no-such"'],
    [['supply', 'fetch', 'constructor', '--offline'], 'there is no part "constructor"'],
    [['supply', 'where', '__proto__', '--offline'], 'there is no part "__proto__"'],
    [['supply', 'fetch', 'kexec=99', '--offline'], 'kexec=99: no version of kexec can be chosen'],
    [['supply', 'list', '--versions', 'xen', '--verify', '--offline'], 'on offer (--versions)'],
    [['supply', 'list', '--versions', 'kernel', '--offline'], 'Allowed choices are qemu, qemu-arm64, xen'],
    [['supply', 'fetch', 'firmware=12', '--offline'], 'no version of firmware can be chosen'],
    [['supply', 'where', 'xen=', '--offline'], 'the version is missing'],
    [['supply', 'list', '--kernels', '--verify', '--offline'], '--verify is for what is in the cache'],
    [['supply', 'clean', '--unused', '--damaged'], 'cannot be used with'],
    [['supply', 'clean', '--downloads', '--unused'], 'cannot be used with'],
    [['supply', 'where', 'kernel=./no', '--offline'], 'no does not exist'],
    [['scenarios', 'xen-ce', '--explain', 'xen-uc-fatal'], 'Name one scenario'],
    [['scenarios', '--schema', 'xen-ce'], '--schema takes no scenario'],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await inside(...args.map(a => a.replace('$', sandbox.dir)));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  test('a file that is no trace', async () => {
    const { code, stderr } = await inside('show', join(sandbox.dir, 'readme'));
    expect([code, stderr]).toEqual([2, expect.stringContaining('E_LAB_TRACE_FORMAT')]);
  });
});

describe('the kept states of machines', () => {
  test('are counted with the cache, and their folder is told', async () => {
    const folder = join(sandbox.dir, 'cache/snapshots');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'a.state'), Buffer.alloc(1 << 20, 1));
    const { code, stdout } = await inside('supply', 'list', '--offline', '--json');
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      expect.objectContaining({ kind: 'states', count: 1, bytes: 1 << 20, limitBytes: 8e9, path: folder }),
    ]);
    const text = (await inside('supply', 'list', '--offline')).stdout;
    expect(text).toMatch(
      /^states +kept machine states: 1 +1\.0 MB {2}.*snapshots \(up to 8\.0 GB, SYNDROME_STATES_GB\)$/m,
    );
    expect(text).toMatch(/^1\.0 MB in /m);
    expect((await inside('supply', 'where', 'states', '--offline')).stdout).toBe(`${folder}\n`);
  });
});

describe('where the lab cannot work', () => {
  test('an empty cache without a network is exit code 3, and 125 for git bisect', async () => {
    const { code, stdout } = await inside('run', 'intel-uc-fatal', '--offline');
    expect([code, stdout]).toEqual([3, expect.stringContaining('E_SUPPLY_OFFLINE')]);
    const bisect = await inside('run', 'intel-uc-fatal', '--offline', '--exit-code', 'bisect');
    expect(bisect.code).toBe(125);
  });

  test('a cache in a place where nothing can be made is an error that ends', async () => {
    const { code, stderr } = await inside('run', 'intel-uc-fatal', '--cache', '/proc/none');
    expect([code, stderr]).toEqual([3, expect.stringContaining('E_SUPPLY_CACHE')]);
  });

  test('an empty SYNDROME_STATE is none: nothing is written to the working folder', async () => {
    const { SYNDROME_STATE, ...env } = sandbox.env;
    Object.assign(sandbox.env, { SYNDROME_STATE: '', XDG_STATE_HOME: join(sandbox.dir, 'xdg') });
    try {
      const { stdout } = await inside('run', 'intel-uc-fatal', '--offline', '--json');
      const { trace } = JSON.parse(stdout) as { trace: string };
      expect(trace).toContain(join(sandbox.dir, 'xdg/syndrome/traces'));
    } finally {
      Object.assign(sandbox.env, env, { SYNDROME_STATE });
    }
  });

  test('the report of what ran is there although the lab failed', async () => {
    const file = join(sandbox.dir, 'r.xml');
    await inside('run', 'intel-uc-fatal', 'xen-ce', '--offline', '--junit', file);
    expect(readFileSync(file, 'utf8')).toMatch(/<testsuite name="syndrome" tests="2" failures="0" errors="2"/);
  });

  test('a scenario that is named twice has one distribution', async () => {
    const { stdout } = await inside('run', 'xen-ce', 'xen-ce', '--offline', '--repeat', '2');
    expect(stdout.match(/^xen-ce\b.*$/gm)?.filter(line => /\b4 runs\b/.test(line))).toHaveLength(1);
  });

  test('a report that cannot be written after all is an error, not a wrong command line', async () => {
    const run = ['run', 'intel-uc-fatal', '--offline', '--junit', '/dev/full'];
    const { code, stderr } = await inside(...run);
    expect([code, stderr]).toEqual([3, expect.stringMatching(/ENOSPC.*\[E_REPORT\]\n.*its trace\.\n$/)]);
    expect((await inside(...run, '--exit-code', 'bisect')).code).toBe(125);
  });

  test('doctor answers every question, whatever is broken', async () => {
    const broken = { SYNDROME_CACHE: '/proc/none', SYNDROME_STATE: '/proc/none', TMPDIR: '/proc/none' };
    const { SYNDROME_CACHE, SYNDROME_STATE, TMPDIR } = sandbox.env;
    Object.assign(sandbox.env, broken);
    try {
      const { code, stdout } = await inside('doctor', '--json');
      const { findings } = JSON.parse(stdout) as { findings: { topic: string; status: string; why?: string }[] };
      const missing = findings.filter(f => f.status === 'missing').map(f => f.topic);
      expect(missing).toEqual(expect.arrayContaining(['cache', 'offline', 'run folders', 'state']));
      expect(findings.at(-1)?.topic).toBe('host poison');
      expect(code).toBe(3);
    } finally {
      Object.assign(sandbox.env, { SYNDROME_CACHE, SYNDROME_STATE, TMPDIR });
    }
  });

  test('with an empty cache fetching without a network gives no scenario out as ready, and doctor names them all', async () => {
    const fetched = await inside('supply', 'fetch', '--offline');
    expect([fetched.code, fetched.stdout]).toEqual([3, '']);
    expect(fetched.stderr).toContain('[E_SUPPLY_OFFLINE]');
    const { stdout } = await inside('doctor', '--json', '--offline');
    const { findings } = JSON.parse(stdout) as { findings: { topic: string; detail: string; why?: string }[] };
    const offline = findings.find(f => f.topic === 'offline');
    const names = bundledScenarios().map(s => s.name);
    expect(offline?.detail).toContain(`${names.length} of ${names.length} scenarios`);
    for (const name of names) expect(offline?.why).toContain(`${name} (E_SUPPLY_OFFLINE)`);
  });

  test('with an empty cache nothing is said about KVM but that it was not tried', async () => {
    const { stdout } = await inside('doctor', '--json', '--offline');
    const { findings } = JSON.parse(stdout) as { findings: { topic: string; detail: string; why?: string }[] };
    const kvm = findings.find(f => f.topic === 'kvm');
    expect(kvm?.why).toMatch(/no \/dev\/kvm|may not open it|the guest to try it with is not in the cache/);
  });
});

test('a trace of somebody else is shown without its escapes, in --json too, and a damaged record does not stop it', async () => {
  const header = {
    type: 'trace',
    version: 1,
    tool: 't',
    startedAt: '\u001b[2J',
    expect: [],
    settle: 0,
    scenario: 'x\u001b[31m\u009b',
    parts: { qemu: '\u001b]0;owned\u0007', hostKernel: '7.2' },
  };
  const events = [
    {
      seq: 1,
      t: 0,
      layer: 'guest',
      source: 'console',
      raw: 'raw\u001b[2J\u009b',
      name: 'guest.mce-record',
      record: { kind: 'x86-mca', status: 'bad' },
    },
    { seq: 2, t: 1, layer: 'lab', source: 'lab', name: 'lab.error', fields: { code: '\u001b', message: '\u009b31m' } },
  ];
  writeFileSync(join(sandbox.dir, 'hostile.ndjson'), [header, ...events].map(v => `${JSON.stringify(v)}\n`).join(''));
  for (const extra of [[], ['--all'], ['--json']]) {
    const { code, stdout, stderr } = await inside('show', join(sandbox.dir, 'hostile.ndjson'), ...extra);
    expect([code, stderr]).toEqual([3, '']);
    // oxlint-disable-next-line no-control-regex
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    if (!extra.includes('--json')) expect(stdout).toContain('decoded: raw');
  }
});

test.each<[string, string[], string, Record<string, string>[]]>([
  ['guest kernels, where one is chosen too', ['--guest-kernel', '7.2'], 'kernel', [{ kernel: '7.2' }]],
  [
    'the part of which several are named',
    ['--qemu', '7.2,10.0', '--guest-kernel', '7.2'],
    'qemu',
    [
      { qemu: '7.2', kernel: '7.2' },
      { qemu: '10.0', kernel: '7.2' },
    ],
  ],
  [
    'host kernels, where one guest kernel is chosen',
    ['--host-kernel', '7.0,7.1', '--guest-kernel', '7.2', '--qemu', '10.0'],
    'hostKernel',
    ['7.0', '7.1'].map(hostKernel => ({ hostKernel, kernel: '7.2', qemu: '10.0' })),
  ],
  [
    'guest kernels, with host kernels besides',
    ['--host-kernel', '7.0,7.1', '--guest-kernel', '6.18,7.2'],
    'kernel',
    ['6.18', '7.2'].flatMap(kernel => ['7.0', '7.1'].map(hostKernel => ({ kernel, hostKernel }))),
  ],
])('a matrix is over %s', async (_what, parts, axis, cells) => {
  const cache = join(sandbox.dir, `cache-${axis}`);
  const { code, stdout } = await inside('matrix', 'amd-deferred', '--offline', '--cache', cache, ...parts, '--json');
  // Nothing is there to measure with: each cell says why.
  const report = JSON.parse(stdout) as { cells: { cell: object; result: { problem: { code: string } } }[] };
  expect(code).toBe(3);
  expect(report).toMatchObject({ schemaVersion: 2, axis });
  expect(report.cells.map(({ cell }) => cell)).toEqual(cells);
  expect(new Set(report.cells.map(({ result }) => result.problem.code))).toEqual(new Set(['E_SUPPLY_OFFLINE']));
});

test('supply on a cache with damage: list is exit code 3, clean --damaged removes it and leaves the rest', async () => {
  const cache = join(sandbox.dir, 'damaged');
  mkdirSync(join(cache, 'parts/half/root'), { recursive: true });
  await makeDerived(join(cache, 'initramfs/whole.cpio'), fresh => writeFileSync(fresh, 'x'.repeat(9000)));
  await makeDerived(join(cache, 'agent/cut'), fresh => writeFileSync(fresh, 'x'.repeat(9000)));
  truncateSync(join(cache, 'agent/cut'), 5);
  const supply = (...args: string[]): Promise<Ended> => inside('supply', ...args, '--cache', cache, '--json');
  const rows = (text: string): unknown[] =>
    text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as unknown);

  const before = await supply('list');
  expect(before.code).toBe(3);
  expect(rows(before.stdout)).toMatchObject([
    { kind: 'derived', name: 'cut', verifies: false, damage: ['5 bytes instead of 9000'] },
    { kind: 'derived', name: 'whole.cpio', verifies: true, damage: [] },
    { kind: 'unknown', name: 'half', verifies: false },
    { kind: 'states' },
  ]);
  const cleaned = await supply('clean', '--damaged');
  expect(cleaned.code).toBe(0);
  const removed = [join(cache, 'agent/cut'), join(cache, 'parts/half')];
  expect(rows(cleaned.stdout)).toMatchObject([{ removed, cache, freedBytes: expect.any(Number) }]);
  const after = await supply('list', '--verify');
  expect([after.code, rows(after.stdout)]).toMatchObject([
    0,
    [{ name: 'whole.cpio', verifies: true }, { kind: 'states' }],
  ]);
  expect(await supply('where')).toMatchObject({ code: 0, stdout: `${JSON.stringify({ path: cache })}\n` });
});

test('the named records say what they need', async () => {
  const { code, stdout } = await inside('inject', '--list');
  expect(code).toBe(0);
  const line = (name: string): string => stdout.split('\n').find(l => l.startsWith(name)) ?? '';
  expect(line('srar-data')).toContain('needs --yes');
  expect(line('srao')).toContain('to all CPUs');
  expect(line('xen-note-ce')).not.toContain('needs --yes');
  const dry = await inside('inject', 'srao', '--addr', '0x1000', '--dry-run');
  expect(dry.stdout).toMatch(/^mce -b 0 9 /);
  expect(dry.stdout).toContain('srao goes to all CPUs');
});

test('what an injection may do is asked of the outlook, and said before it is done', async () => {
  type Said = { name?: string; fatal?: boolean; consent: { needed: boolean; because: object[] } };
  const listed = async (...args: string[]): Promise<Said[]> =>
    (await inside('inject', '--list', '--json', ...args)).stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Said);
  const asking = (all: Said[]): (string | undefined)[] => all.filter(r => r.fatal).map(r => r.name);
  const everybody = await listed();
  expect(everybody.every(r => r.fatal === r.consent.needed && r.fatal === r.consent.because.length > 0)).toBe(true);
  expect(asking(everybody)).toEqual(NAMED_MCA.map(r => r.name).filter(name => name !== 'xen-note-ce'));
  expect(asking(await listed('--consumer', 'linux'))).not.toContain('ce');
  const dry = async (...args: string[]): Promise<Said> =>
    JSON.parse((await inside('inject', ...args, '--addr', '0x1000', '--dry-run', '--json')).stdout) as Said;
  const deferred = await dry('amd-deferred', '--consumer', 'linux', '--set', 'version=6.19.6');
  expect(deferred).toMatchObject({ fatal: true, injected: false, consent: { needed: true } });
  expect(deferred.consent.because).toContainEqual({
    guest: 'linux',
    consumer: 'linux',
    outcome: 'panicked',
    rule: 'linux.amd-destat.crash',
    settings: { qemu: { vendor: 'amd' } },
  });
  expect(await dry('ghes', '--severity', 'corrected')).toMatchObject({ fatal: false, consent: { because: [] } });
  expect(await dry('ghes', '--severity', 'fatal')).toMatchObject({ fatal: true });
  // Raw values are treated as the named record with the same.
  const raw = await dry('mce', '--bank', '9', '--status', '0x9c00180000000000', '--mcgstatus', '5', '--misc', '0x8c');
  expect(raw.consent).toEqual((await dry('amd-deferred')).consent);
  const text = await inside('inject', 'amd-deferred', '--addr', '0x1000', '--dry-run');
  expect(text.stdout).toContain('It needs --yes:');
  expect(text.stdout).toContain('Xen: panics, with qemu vendor=amd [xen.amd-address-bug]');
});

test.each([
  [['--set', 'version=6.12'], 'the version of what?'],
  [['--set', 'delivery=poll'], 'does not apply to inject'],
  [['--set', 'broadcast=yes'], 'use --broadcast'],
  [['--set', 'colour=red'], 'no such setting'],
  [['--consumer', 'kvm'], 'Allowed choices are linux, xen'],
])('inject %j says what is wrong', async (args, message) => {
  const { code, stderr } = await inside('inject', 'ce', '--addr', '0x1000', '--dry-run', ...args);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});

test('the program ends with these codes', async () => {
  const [usage, error, bisect] = await Promise.all([
    sandbox.run('run', 'intel-uc-fatal', '--kernel', './no'),
    sandbox.run('run', 'intel-uc-fatal', '--offline'),
    sandbox.run('run', 'intel-uc-fatal', '--kernel', './no', '--exit-code', 'bisect'),
  ]);
  expect([usage.code, error.code, bisect.code]).toEqual([2, 3, 128]);
  expect(usage.stderr).toContain('there is no such file [E_USAGE_FILE]');
});

test('the compile cache lies beside the code, not in TMPDIR', async () => {
  await sandbox.run('--version');
  expect(sandbox.folders()).toEqual([]);
  const { stdout } = await sandbox.run('--version');
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  expect(stdout).toBe(`${version}\n`);
});

test('output that is no longer taken ends it without a stack trace', () => {
  expect(sandbox.shell('"$SYNDROME" decode --help | head -1 >/dev/null; exit "${PIPESTATUS[0]}"')).toMatchObject({
    status: 0,
    stderr: '',
  });
  const full = sandbox.shell('"$SYNDROME" decode 0xbd80000000000134 >/dev/full');
  expect(full.status).toBe(3);
  expect(full.stderr).toMatch(/^syndrome: cannot write to stdout: ENOSPC[^\n]*\[E_OUTPUT\]\n$/);
});

describe('with a QMP peer that answers no more', () => {
  const options = ['inject', 'uc-fatal', '--yes'];
  const peers: net.Server[] = [];
  afterAll(() => peers.forEach(peer => peer.close()));

  /**
   * Listens as QEMU does, and resolves `asked` at the first command after the negotiation, which it does not answer: it
   * only has `events` to tell.
   */
  function peer(name: string, events: readonly object[] = []): { path: string; asked: Promise<void> } {
    const path = join(sandbox.dir, name);
    const asked = new Promise<void>(resolve => {
      const server = net.createServer(socket => {
        socket.on('error', () => {});
        socket.write(GREETING);
        let text = '';
        socket.on('data', chunk => {
          text += chunk.toString();
          const lines = text.split('\n');
          text = lines.pop() ?? '';
          for (const line of lines) {
            const { execute, id } = JSON.parse(line) as { execute?: string; id: string };
            if (execute === 'qmp_capabilities') socket.write(`${JSON.stringify({ return: {}, id })}\r\n`);
            else {
              for (const event of events) socket.write(`${JSON.stringify(event)}\r\n`);
              resolve();
            }
          }
        });
      });
      peers.push(server.listen(path));
    });
    return { path, asked };
  }

  test('what nobody catches is exit code 3, with a stack', async () => {
    const { path, asked } = peer('throw.sock');
    const running = sandbox.startThrowing(...options, '--qmp', path);
    await asked;
    running.child.kill('SIGUSR2');
    const { code, stderr } = await running.ended;
    expect(code).toBe(3);
    expect(stderr).toMatch(/unexpected error, please report it\nError: nobody catches this\n\s+at /);
  });

  test('watch shows an event whose time is out of range', async () => {
    const { path, asked } = peer('time.sock', [
      { event: 'RESET', data: { guest: true, reason: 'one' }, timestamp: { seconds: 1e300, microseconds: 0 } },
      { event: 'RESET', data: { guest: true, reason: 'two' }, timestamp: { seconds: -1, microseconds: -1 } },
    ]);
    const running = sandbox.start('watch', '--qmp', path, '--json');
    await asked;
    await running.until('"two"');
    running.child.kill('SIGINT');
    const { stdout } = await running.ended;
    const times = stdout
      .trimEnd()
      .split('\n')
      .map(line => Date.parse((JSON.parse(line) as { time: string }).time));
    expect(times).toEqual([expect.any(Number), -1000]);
    expect(times[0]).toBeGreaterThan(0);
  });

  test.each<[string, string[], NodeJS.Signals, number]>([
    ['inject', options, 'SIGINT', 130],
    ['watch', ['watch'], 'SIGINT', 130],
    ['watch', ['watch'], 'SIGTERM', 143],
  ])('%s %j ends by %s, says so in one line, and gives its code', async (name, args, signal, code) => {
    const { path, asked } = peer(`${name}-${signal}.sock`);
    const running = sandbox.start(...args, '--qmp', path);
    await asked;
    running.child.kill(signal);
    const ended = await running.ended;
    expect(ended.code, ended.stderr).toBe(code);
    const said = `\nsyndrome: ${signal}, cleaning up\nsyndrome: interrupted by ${signal} [E_LAB_INTERRUPTED]\n`;
    expect(ended.stderr.slice(ended.stderr.indexOf('\nsyndrome: SIG'))).toBe(said);
  });
});

/** The set-up from a bare clone, with the real npm on a small tree whose packages lie in it: no registry is needed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

/** Each starts npm several times, which takes seconds where others have the processors. */
vi.setConfig({ testTimeout: 120_000 });

const ROOT = join(import.meta.dirname, '..');
const NODE_PACKAGE = `node-linux-${process.arch}`;
const NODE_FOLDER = `node_modules/${NODE_PACKAGE}`;
let clone: string;

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'st-'));
  for (const file of ['bin/syndrome', 'scripts/setup.mjs', 'scripts/setup-lock.mjs', 'scripts/child.mjs', '.ci/run'])
    cpSync(join(ROOT, file), join(clone, file));
  for (const folder of ['vendor/node/bin', 'vendor/tool', 'packages/cli/src'])
    mkdirSync(join(clone, folder), { recursive: true });
  const write = (name: string, value: unknown): void => writeFileSync(join(clone, name), JSON.stringify(value));
  const own = {
    name: 'clone',
    version: '1.0.0',
    optionalDependencies: { [NODE_PACKAGE]: 'file:vendor/node' },
    devDependencies: { tool: 'file:vendor/tool' },
  };
  const node = { name: NODE_PACKAGE, version: '1.0.0', bin: { node: 'bin/node' } };
  const tool = { name: 'tool', version: '1.0.0' };
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
  write('package.json', { ...own, type: 'module', scripts });
  write('package-lock.json', {
    name: own.name,
    version: own.version,
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': own,
      [NODE_FOLDER]: { resolved: 'vendor/node', link: true },
      'node_modules/tool': { resolved: 'vendor/tool', link: true },
      'vendor/node': { ...node, optional: true },
      'vendor/tool': { ...tool, dev: true },
    },
  });
  write('vendor/node/package.json', node);
  write('vendor/tool/package.json', tool);
  const program = `#!/bin/sh\nexec '${process.execPath}' "$@"\n`;
  writeFileSync(join(clone, 'vendor/node/bin/node'), program, { mode: 0o755 });
  writeFileSync(join(clone, 'packages/cli/src/main.ts'), "console.log('main', ...process.argv.slice(2));\n");
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * As a user's shell has it: `npm test` hands its own configuration on in npm_… variables, and puts the commands of the packages
 * before those of the machine. With a Node of another age there the machine's npm warns of what is deprecated in itself.
 */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
env['PATH'] = (env['PATH'] ?? '')
  .split(delimiter)
  .filter(folder => !/\/node_modules\/\.bin$|\/node-gyp-bin$/.test(folder))
  .join(delimiter);

function start(
  program: string,
  ...args: string[]
): { child: ChildProcess; ended: Promise<Ended>; says(text: string): Promise<void> } {
  const child = spawn(program, args, { cwd: clone, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => void (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => void (stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  const says = async (text: string): Promise<void> => {
    while (!stdout.includes(text))
      await Promise.race([once(child.stdout, 'data'), ended.then(() => Promise.reject(new Error(stderr)))]);
  };
  return { child, ended, says };
}
const syndrome = (...args: string[]): Promise<Ended> => start(join(clone, 'bin/syndrome'), ...args).ended;
const setUp = (): Promise<Ended> => start(process.execPath, join(clone, 'scripts/setup.mjs')).ended;
const stamp = (): string => join(clone, 'node_modules/.syndrome-setup');
const INSTALLS = '(npm ci)';
/** Makes a file younger than the stamp, whatever the clock's resolution. */
const touch = (file: string): void => {
  const later = new Date(Date.now() + 60_000);
  utimesSync(join(clone, file), later, later);
};

describe('bin/syndrome', () => {
  test('sets up a bare clone once, again after an npm ci that was cut short, and for another lock file', async () => {
    const first = await syndrome('a', 'b');
    expect(first).toMatchObject({ code: 0, stdout: 'main a b\n' });
    expect(first.stderr).toContain(INSTALLS);
    expect(await syndrome('c')).toEqual({ code: 0, stdout: 'main c\n', stderr: '' });
    // npm removes everything first and puts the commands in before the end.
    rmSync(stamp());
    rmSync(join(clone, NODE_FOLDER), { recursive: true });
    expect((await syndrome()).stderr).toContain(INSTALLS);
    // A checkout may touch the file without changing it.
    touch('package-lock.json');
    expect(await syndrome()).toEqual({ code: 0, stdout: 'main\n', stderr: '' });
    const lock = readFileSync(join(clone, 'package-lock.json'), 'utf8');
    writeFileSync(join(clone, 'package-lock.json'), `${lock}\n`);
    touch('package-lock.json');
    expect((await syndrome()).stderr).toContain(INSTALLS);
  });

  test('becomes the program, whose pid is that which was started, also where it was set up first', async () => {
    const main = "console.log('main', process.pid);\n";
    writeFileSync(join(clone, 'packages/cli/src/main.ts'), main);
    for (const isFirst of [true, false]) {
      const { child, ended } = start(join(clone, 'bin/syndrome'));
      const { stdout, stderr } = await ended;
      expect(stderr.includes(INSTALLS)).toBe(isFirst);
      expect(stdout).toBe(`main ${child.pid}\n`);
    }
  });

  test('needs no .bin/node, which npm 9 leaves out', async () => {
    await syndrome();
    rmSync(join(clone, 'node_modules/.bin'), { recursive: true });
    expect(await syndrome('once')).toEqual({ code: 0, stdout: 'main once\n', stderr: '' });
    // That start has looked at what changed; the next goes to Node at once.
    rmSync(join(clone, 'scripts/setup.mjs'));
    expect(await syndrome('twice')).toEqual({ code: 0, stdout: 'main twice\n', stderr: '' });
  });

  test.each([
    ['bin/syndrome', 'the Node package', NODE_FOLDER, `${NODE_FOLDER}/bin/node`],
    ['bin/syndrome', 'another package', 'node_modules/tool', 'node_modules/tool/package.json'],
    ['setup.mjs', 'the Node package', NODE_FOLDER, `${NODE_FOLDER}/bin/node`],
    ['setup.mjs', 'the list of npm', 'node_modules/.package-lock.json', 'node_modules/.package-lock.json'],
  ])('%s sees that %s is gone, and repairs the install', async (by, _what, lost, named) => {
    await syndrome();
    rmSync(join(clone, lost), { recursive: true });
    const repaired = await (by === 'setup.mjs' ? setUp() : syndrome());
    expect(repaired).toMatchObject({ code: 0, stdout: by === 'setup.mjs' ? '' : 'main\n' });
    expect(repaired.stderr).toContain(`${named} is missing; installing`);
    expect(await syndrome()).toEqual({ code: 0, stdout: 'main\n', stderr: '' });
  });

  test('a Node that may not be executed is no Node', async () => {
    await syndrome();
    // In the package's own folder: npm 9 copies what npm 11 links.
    chmodSync(join(clone, NODE_FOLDER, 'bin/node'), 0o644);
    expect((await syndrome()).stderr).toContain(`${NODE_FOLDER}/bin/node is missing`);
    expect(statSync(join(clone, NODE_FOLDER, 'bin/node')).mode & 0o111).not.toBe(0);
  });

  test.each([
    ['is empty', ''],
    ['breaks off', '\x7fELF'],
  ])('a Node that %s is none: no command ends well without having been run', async (_what, bytes) => {
    await syndrome();
    const program = join(clone, 'vendor/node/bin/node');
    const whole = readFileSync(program);
    // npm 11 links the package and npm 9 copies it: neither can mend it.
    for (const file of [program, join(clone, NODE_FOLDER, 'bin/node')]) writeFileSync(file, bytes);
    for (const run of bytes === '' ? [syndrome, setUp] : [setUp]) {
      const { code, stdout, stderr } = await run();
      expect([code, stdout]).toEqual([3, '']);
      expect(stderr).toContain(`${NODE_FOLDER}/bin/node does not run`);
    }
    writeFileSync(program, whole);
    expect(await syndrome()).toMatchObject({ code: 0, stdout: 'main\n' });
  });

  test('what npm leaves out is said, and tried again by the next start', async () => {
    const program = join(clone, 'vendor/node/bin/node');
    renameSync(program, `${program}.away`);
    const first = await syndrome();
    expect([first.code, first.stdout]).toEqual([3, '']);
    expect(first.stderr).toContain(`npm ci ended well, but ${NODE_FOLDER}/bin/node is missing`);
    expect(existsSync(stamp())).toBe(false);
    renameSync(`${program}.away`, program);
    expect(await syndrome()).toMatchObject({ code: 0, stdout: 'main\n' });
  });

  test('settings of the user that leave out packages do not count', async () => {
    const settings = ['NODE_ENV=production', 'npm_config_omit=optional'];
    const { ended } = start('env', ...settings, join(clone, 'bin/syndrome'));
    expect(await ended).toMatchObject({ code: 0, stdout: 'main\n' });
    expect(existsSync(join(clone, 'node_modules/tool/package.json'))).toBe(true);
  });

  test('a set-up that fails is exit code 3, and leaves neither stamp nor lock', async () => {
    writeFileSync(join(clone, 'package-lock.json'), '{ "lockfileVersion": 3, "packages": {} }');
    const { code, stdout, stderr } = await syndrome();
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toContain('npm ci failed');
    expect(existsSync(stamp())).toBe(false);
    expect(readdirSync(clone).filter(name => name.startsWith('.syndrome'))).toEqual([]);
  });
});

describe('.ci/run ends with the counts', () => {
  const lastLine = (text: string): string | undefined => text.trimEnd().split('\n').at(-1);

  test('where the set-up fails', async () => {
    writeFileSync(join(clone, 'package-lock.json'), '{ "lockfileVersion": 3, "packages": {} }');
    const { code, stdout } = await start(join(clone, '.ci/run')).ended;
    expect([code, lastLine(stdout)]).toEqual([3, '0 passed, 1 failed']);
  });

  test('where the check passes and the tests end without a word', async () => {
    await syndrome();
    writeFileSync(join(clone, 'scripts/check.ts'), '');
    writeFileSync(join(clone, 'scripts/test.ts'), 'process.exit(7);');
    const { code, stdout } = await start(join(clone, '.ci/run')).ended;
    expect([code, lastLine(stdout)]).toEqual([7, '0 passed, 1 failed']);
    writeFileSync(join(clone, 'scripts/test.ts'), "console.log('3 passed, 0 failed, 1 skipped');");
    expect(await start(join(clone, '.ci/run')).ended).toEqual({
      code: 0,
      stdout: '3 passed, 0 failed, 1 skipped\n',
      stderr: '',
    });
  });
});

test('every command of package.json goes through the set-up, so that it runs in a bare clone', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const [name, command] of Object.entries(scripts)) {
    expect(command, name).toMatch(/^node scripts\/setup\.mjs(?: |$)/);
    const script = command.split(' ')[2];
    if (script !== undefined) expect(existsSync(join(ROOT, script)), name).toBe(true);
  }
});

describe('two set-ups at once', () => {
  test('one installs, the others wait for it', async () => {
    const all = await Promise.all([syndrome('1'), syndrome('2'), syndrome('3')]);
    expect(all.map(e => [e.code, e.stdout])).toEqual([
      [0, 'main 1\n'],
      [0, 'main 2\n'],
      [0, 'main 3\n'],
    ]);
    expect(all.filter(e => e.stderr.includes(INSTALLS))).toHaveLength(1);
    expect(readdirSync(clone).filter(name => name.startsWith('.syndrome'))).toEqual([]);
  });

  test('waiters with one pid (of two containers, or one that was killed before) do not meet', async () => {
    const lock = join(clone, '.syndrome-setup.lock');
    const script = `import { takeSetupLock } from ${JSON.stringify(join(ROOT, 'scripts/setup-lock.mjs'))};
      const lock = ${JSON.stringify(lock)};
      const { mkdirSync } = await import('node:fs');
      mkdirSync(lock + '.' + process.pid);
      let [inside, turns] = [0, 0];
      const take = async () => {
        const release = await takeSetupLock(lock, () => {});
        if (++inside > 1) throw new Error('two at once');
        await new Promise(resolve => setImmediate(resolve));
        inside--;
        turns++;
        release();
      };
      await Promise.all([take(), take()]);
      console.log(turns);`;
    const { ended } = start(process.execPath, '--input-type=module', '-e', script);
    expect(await ended).toEqual({ code: 0, stdout: '2\n', stderr: '' });
  });

  test('the lock of a process that is gone is taken over', async () => {
    const gone = spawn('true');
    await once(gone, 'close');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const owner = { pid: gone.pid, start: '1', boot, namespace: readlinkSync('/proc/self/ns/pid') };
    mkdirSync(join(clone, '.syndrome-setup.lock'));
    writeFileSync(join(clone, '.syndrome-setup.lock/owner.json'), JSON.stringify(owner));
    expect(await syndrome()).toMatchObject({ code: 0, stdout: 'main\n' });
    expect(readdirSync(clone).filter(name => name.startsWith('.syndrome'))).toEqual([]);
  });
});

describe('signals reach the script, and its end is the exit code', () => {
  const WAITS = "setInterval(() => {}, 1000); console.log('ready');\n";
  const HANDLES = `process.on('SIGTERM', () => { console.log('cleaned up'); process.exit(143); });\n${WAITS}`;

  test.each<[string, string, NodeJS.Signals, number, string]>([
    ['that dies of it', WAITS, 'SIGINT', 130, 'ready\n'],
    ['that dies of it', WAITS, 'SIGTERM', 143, 'ready\n'],
    ['that dies of it', WAITS, 'SIGHUP', 129, 'ready\n'],
    ['that cleans up', HANDLES, 'SIGTERM', 143, 'ready\ncleaned up\n'],
    ['that ends well after it', HANDLES.replace('143', '0'), 'SIGTERM', 143, 'ready\ncleaned up\n'],
  ])('a script %s', async (_what, script, signal, code, stdout) => {
    // Installed by hand, which is faster.
    mkdirSync(join(clone, 'node_modules'));
    symlinkSync('../vendor/node', join(clone, NODE_FOLDER));
    writeFileSync(join(clone, 'node_modules/.package-lock.json'), '{ "packages": {} }');
    writeFileSync(
      stamp(),
      createHash('sha256')
        .update(readFileSync(join(clone, 'package-lock.json')))
        .digest('hex'),
    );
    writeFileSync(join(clone, 'script.mjs'), script);
    const running = start(process.execPath, join(clone, 'scripts/setup.mjs'), 'script.mjs');
    await running.says('ready');
    running.child.kill(signal);
    expect(await running.ended).toEqual({ code, stdout, stderr: '' });
  });

  test('a signal during npm ci ends both, and the lock is gone', async () => {
    // The package's own script holds npm until the signal comes.
    const file = join(clone, 'package.json');
    const held = 'echo ready > held; exec sleep 60';
    writeFileSync(
      file,
      JSON.stringify({
        ...(JSON.parse(readFileSync(file, 'utf8')) as object),
        scripts: { preinstall: held, install: held },
      }),
    );
    const running = start(process.execPath, join(clone, 'scripts/setup.mjs'));
    const until = Date.now() + 20_000;
    while (!existsSync(join(clone, 'held'))) {
      if (Date.now() > until) throw new Error('npm did not run the script');
      await new Promise(resolve => setTimeout(resolve, 20));
    }
    running.child.kill('SIGTERM');
    expect((await running.ended).code).toBe(143);
    expect(existsSync(stamp())).toBe(false);
    expect(readdirSync(clone).filter(name => name.startsWith('.syndrome'))).toEqual([]);
  });
});

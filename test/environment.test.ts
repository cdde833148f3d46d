/** What is wrong around the program, and not with the system under test: exit code 3, a code, and what to do. */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, type TestContext } from 'vitest';
import { Sandbox } from './program.ts';

const STRANGER = 12345;
const root = process.getuid?.() === 0;
let sandbox: Sandbox;
beforeEach(() => {
  sandbox = new Sandbox();
  sandbox.env['SYNDROME_CACHE'] = at('cache');
});
afterEach(() => sandbox.remove());
const at = (name: string): string => join(sandbox.dir, name);
const RUN = ['run', 'xen-ce', '--offline', '-q'];

describe('NODE_OPTIONS', () => {
  test.each([
    ['--bogus', '--bogus is not allowed in NODE_OPTIONS'],
    ['--require=/no/such/module', "Cannot find module '/no/such/module'"],
    ['--import=data:text/javascript,throw(new(Error)(5))', 'Error: 5'],
  ])('%s is exit code 3 and one line that says why', async (options, why) => {
    sandbox.env.NODE_OPTIONS = options;
    const { code, stdout, stderr } = await sandbox.run('decode', '0xbd80000000000134');
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(
      /^syndrome: Node does not start with the NODE_OPTIONS .*\nCorrect NODE_OPTIONS, or unset it\.\n$/,
    );
    expect(stderr).toContain(why);
  });

  test('that are good are left alone', async () => {
    sandbox.env.NODE_OPTIONS = '--max-old-space-size=500';
    expect((await sandbox.run('decode', '0xbd80000000000134')).code).toBe(0);
  });
});

test('a file that is missing in the installation is exit code 3', async () => {
  const hook =
    "import{registerHooks}from'node:module';registerHooks({resolve(s,c,n){if(s==='commander')throw(Object.assign(new(Error)('no'),{code:'ERR_MODULE_NOT_FOUND'}));return(n(s,c))}})";
  sandbox.env.NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(hook)}`;
  const { code, stdout, stderr } = await sandbox.run('decode', '0xbd80000000000134');
  expect([code, stdout]).toEqual([3, '']);
  expect(stderr).toContain('a file of the installation is missing');
});

test('a CDPATH of the user leads nowhere else', () => {
  const { status, stdout } = sandbox.shell(
    `mkdir -p ${at('elsewhere/bin')}; cd "$(dirname "$SYNDROME")/.." && CDPATH=${at('elsewhere')} bin/syndrome --version`,
  );
  expect([status, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
});

describe('folders', () => {
  test('a working folder that is gone is said; what needs none works', () => {
    const inside = (args: string): string =>
      `mkdir ${at('gone')}; cd ${at('gone')}; rmdir ${at('gone')}; "$SYNDROME" ${args}`;
    const run = sandbox.shell(inside(RUN.join(' ')));
    expect([run.status, run.stdout]).toEqual([3, '']);
    expect(run.stderr).toContain('the working folder is gone');
    expect(run.stderr).toContain('[E_CWD]');
    expect(sandbox.shell(inside('decode 0xbd80000000000134')).status).toBe(0);
  });

  test('nothing goes to the working folder where HOME and the XDG variables are of no use', () => {
    const { stdout } = sandbox.shell(
      `mkdir w; cd ${sandbox.dir} && mkdir w && cd w; unset SYNDROME_CACHE SYNDROME_STATE; HOME='' XDG_CACHE_HOME=c XDG_STATE_HOME=s "$SYNDROME" supply where --offline`,
    );
    expect(stdout).toMatch(/^\/.*\/\.cache\/syndrome\n$/);
    expect(readdirSync(at('w'))).toEqual([]);
  });

  test('a file in the place of the cache or of the state', async () => {
    writeFileSync(at('file'), '');
    sandbox.env['SYNDROME_STATE'] = at('file');
    const state = await sandbox.run(...RUN);
    expect([state.code, state.stderr]).toEqual([3, expect.stringMatching(/file is no folder \[E_LAB_STATE_DIR\]/)]);
    sandbox.env['SYNDROME_CACHE'] = at('file');
    const cache = await sandbox.run(...RUN);
    expect([cache.code, cache.stderr]).toEqual([3, expect.stringMatching(/file is no folder \[E_SUPPLY_CACHE\]/)]);
  });

  test('closed stdin, stdout and stderr stop nothing', () => {
    for (const closed of ['<&-', '>&-', '2>&-', '<&- >&- 2>&-']) {
      expect(sandbox.shell(`"$SYNDROME" decode 0xbd80000000000134 ${closed}`).status).toBe(0);
    }
  });
});

describe('a folder that others may write to', () => {
  /** How the program ends, in one line: the exit code and what it says before its hint. */
  const answer = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await sandbox.run(...args);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/SYNDROME_(?:CACHE|STATE)\.\n$/);
    return `${code} ${stderr.split('\n')[0]}`;
  };
  const open = (path: string): string =>
    `others may write to ${path} \\(mode 0777\\): chmod go-w it, or choose another folder`;

  test('is no cache, nor is a part of it; and no state', async () => {
    mkdirSync(at('cache/parts'), { recursive: true });
    chmodSync(at('cache'), 0o775);
    expect(await answer(...RUN)).toContain('others may write to');
    chmodSync(at('cache'), 0o700);
    for (const name of ['parts', 'snapshots', 'answers']) {
      mkdirSync(at(`cache/${name}/x`), { recursive: true });
      chmodSync(at(`cache/${name}`), 0o777);
      expect(await answer(...RUN)).toMatch(new RegExp(`^3 .*${open(at(`cache/${name}`))} \\[E_SUPPLY_CACHE\\]$`));
      chmodSync(at(`cache/${name}`), 0o700);
    }
    mkdirSync(at('state/traces/x'), { recursive: true });
    chmodSync(at('state/traces'), 0o777);
    expect(await answer(...RUN)).toMatch(new RegExp(`^3 .*${open(at('state/traces'))} \\[E_LAB_STATE_DIR\\]$`));
  });

  test('and a cache or state of another user is refused', async context => {
    if (!root) return context.skip('only root can lay out folders of another user');
    mkdirSync(at('state'));
    chownSync(at('state'), STRANGER, STRANGER);
    expect(await answer(...RUN)).toContain(`${at('state')} belongs to another user (uid ${STRANGER}, this is 0)`);
    expect(await answer('matrix', 'xen-ce', '--offline', '--kernel', '7.2')).toMatch(
      /^3 .*belongs to another user.*\[E_LAB_STATE_DIR\]$/,
    );
    sandbox.env['SYNDROME_CACHE'] = at('theirs');
    mkdirSync(at('theirs'));
    chownSync(at('theirs'), STRANGER, STRANGER);
    for (const args of [
      RUN,
      ['supply', 'list'],
      ['supply', 'clean'],
      ['bisect', 'xen-ce', '--good', '7.1', '--bad', '7.2'],
    ]) {
      expect(await answer(...args)).toMatch(/^3 .*theirs belongs to another user.*\[E_SUPPLY_CACHE\]$/);
    }
    // It was looked at only.
    expect(readdirSync(at('theirs'))).toEqual([]);
  });
});

/** Runs a line of sh with `$SYNDROME` as a user that is not root. */
function asOrdinaryUser(context: TestContext, script: string): { status: number | null; stderr: string } {
  if (!root) return spawnSync('sh', ['-c', script], { env: { ...sandbox.env, SYNDROME: BIN }, encoding: 'utf8' });
  const user = ['--reuid', `${STRANGER}`, '--regid', `${STRANGER}`, '--clear-groups'];
  const sees = spawnSync('setpriv', [...user, 'test', '-r', join(BIN, '../../package.json')]);
  if (sees.status !== 0) context.skip('this tree lies where an ordinary user cannot read');
  chownSync(sandbox.dir, STRANGER, STRANGER);
  return spawnSync('setpriv', [...user, 'sh', '-c', script], {
    env: { ...sandbox.env, SYNDROME: BIN },
    encoding: 'utf8',
  });
}
const BIN = join(import.meta.dirname, '../bin/syndrome');

describe('whatever the umask', () => {
  test.for([0o000, 0o022, 0o077, 0o777])(
    '%o: what is kept is for its user alone, what is asked for follows it',
    (mask, context) => {
      const { status, stderr } = asOrdinaryUser(
        context,
        `umask ${mask.toString(8)}; "$SYNDROME" run xen-ce --offline --junit ${at('r.xml')}; exit $?`,
      );
      expect([status, stderr]).toEqual([3, '']);
      const below = readdirSync(sandbox.dir, { recursive: true, withFileTypes: true }).filter(e => e.name !== 'r.xml');
      expect(below.length).toBeGreaterThan(8);
      for (const entry of below) {
        const path = join(entry.parentPath, entry.name);
        const { mode } = lstatSync(path);
        expect([path, (mode & 0o777).toString(8)]).toEqual([path, entry.isDirectory() ? '700' : '600']);
      }
      expect(statSync(at('r.xml')).mode & 0o777).toBe(0o666 & ~mask);
    },
  );
});

test('root and an ordinary user do not share a cache by accident', context => {
  if (!root) return context.skip('only root can lay out folders of another user');
  mkdirSync(at('cache'), { mode: 0o755 });
  writeFileSync(at('cache/CACHEDIR.TAG'), '');
  const { status, stderr } = asOrdinaryUser(context, '"$SYNDROME" run xen-ce --offline');
  // A cache of root may be used as far as its rights go.
  expect([status, stderr]).toEqual([3, expect.stringMatching(/permission denied.*\[E_SUPPLY_CACHE\]/)]);
});

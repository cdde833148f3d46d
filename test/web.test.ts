/** `syndrome web` as a process: two users, a socket, what is refused, and how it ends. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Answer, ask } from '@syndrome/base/http/testing/ask.ts';
import type { Listing } from '@syndrome/web/view/listing.ts';
import { Sandbox } from './program.ts';

const GOOD = join(import.meta.dirname, '../packages/trace/src/compare/golden/pair-amd-deferred-7.3.4.ndjson');

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = new Sandbox();
});
afterEach(async () => {
  await sandbox.clean();
  sandbox.remove();
});

interface Started {
  running: ReturnType<Sandbox['start']>;
  /** What `--json` says. */
  said: { schemaVersion: number; port?: number; url?: string; socket?: string };
  end: (signal?: NodeJS.Signals) => Promise<{ code: number | null; stderr: string }>;
}
async function start(...args: string[]): Promise<Started> {
  const running = sandbox.start('web', '--json', ...args);
  let stdout = '';
  running.child.stdout?.on('data', chunk => (stdout += String(chunk)));
  await running.until('}\n');
  const end = (signal: NodeJS.Signals = 'SIGTERM'): Promise<{ code: number | null; stderr: string }> => {
    running.child.kill(signal);
    return running.ended;
  };
  return { running, said: JSON.parse(stdout) as Started['said'], end };
}
const cookieOf = ({ headers }: Answer): string => headers['set-cookie']?.[0]?.split(';')[0] ?? '';
const codeOf = ({ body }: Answer): string => (JSON.parse(body) as { code: string }).code;
/** Path and query of the link, and the folder of the pages. */
const linkOf = ({ said }: Started): { port: number; link: string; folder: string } => {
  const { port, pathname, search } = new URL(said.url ?? '');
  return { port: Number(port), link: pathname + search, folder: pathname };
};

test('on a fresh machine one command serves the page and an empty list', async () => {
  const started = await start();
  const { port, link, folder } = linkOf(started);
  expect(started.said).toMatchObject({ schemaVersion: 1, port });
  const cookie = cookieOf(await ask(port, link));
  expect((await ask(port, folder, { headers: { cookie } })).body).toContain('<div id="app" data-served>');
  const { files, folders } = JSON.parse(
    (await ask(port, `${folder}api/list`, { headers: { cookie } })).body,
  ) as Listing;
  expect([files, folders.map(({ name, problem }) => [name, problem])]).toEqual([
    [],
    [
      ['traces', undefined],
      ['matrices', undefined],
    ],
  ]);
  expect(await started.end('SIGINT')).toMatchObject({ code: 0 });
});

test('of two users of a machine the one with the link gets in, and the other learns nothing', async () => {
  const started = await start();
  const { port, link, folder } = linkOf(started);
  for (const path of ['/', folder, `${folder}api/list`]) expect(codeOf(await ask(port, path))).toBe('E_HTTP_SESSION');
  const cookie = cookieOf(await ask(port, link));
  await started.running.until('the link was used');
  const again = await ask(port, link);
  expect([again.status, codeOf(again), cookieOf(again)]).toEqual([403, 'E_HTTP_TOKEN', '']);
  expect((await ask(port, `${folder}api/list`, { headers: { cookie } })).status).toBe(200);
  expect((await ask(port, `${folder}api/list`, { headers: { cookie, host: 'evil.example' } })).status).toBe(421);
  expect((await ask(port, `${folder}api/list`, { headers: { cookie, origin: 'http://evil.example' } })).status).toBe(
    403,
  );
  expect((await ask(port, `${folder}api/list`, { method: 'POST', headers: { cookie } })).status).toBe(405);
  // Another server knows nothing of this one's link or cookie.
  const other = await start();
  expect((await ask(linkOf(other).port, link, { headers: { cookie } })).status).toBe(403);
  await Promise.all([started.end(), other.end()]);
});

test('lists the state folder, and what is named', async () => {
  for (const folder of ['state/traces', 'results/job-1', 'other/results'])
    mkdirSync(join(sandbox.dir, folder), { recursive: true, mode: 0o700 });
  for (const file of ['state/traces/a.ndjson', 'results/job-1/b.ndjson', 'other/results/c.ndjson', 'd.ndjson'])
    copyFileSync(GOOD, join(sandbox.dir, file));
  writeFileSync(join(sandbox.dir, 'kern.log'), 'mce: hello');
  const named = ['results', 'other/results/', 'd.ndjson', 'kern.log'].map(name => join(sandbox.dir, name));
  const started = await start(...named);
  const { port, link, folder } = linkOf(started);
  const cookie = cookieOf(await ask(port, link));
  const { files } = JSON.parse((await ask(port, `${folder}api/list`, { headers: { cookie } })).body) as Listing;
  expect(files.map(({ name }) => name).toSorted()).toEqual([
    'd.ndjson',
    'kern.log',
    'results-2/c.ndjson',
    'results/job-1/b.ndjson',
    'traces/a.ndjson',
  ]);
  await started.end();
});

test('a browser that cannot be opened is told, and the server serves', async () => {
  sandbox.env.TMPDIR = join(sandbox.dir, 'nowhere');
  const started = await start('--open');
  await started.running.until('no browser was opened');
  const { port, link } = linkOf(started);
  expect((await ask(port, link)).status).toBe(200);
  expect(await started.end()).toMatchObject({ code: 0 });
});

test('a job in the background leaves its terminal alone, and is not stopped', { timeout: 120_000 }, () => {
  // The terminal has a line to read, and its foreground is bash; what is stopped does not answer.
  sandbox.write(
    'job.sh',
    `set -m
"$SYNDROME" web --json > said &
until port=$(grep -o '"port": *[0-9]*' said); do sleep 0.1; done
exec 3<> "/dev/tcp/127.0.0.1/\${port##*[: ]}"
printf 'GET / HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3
timeout 20 head -n 1 <&3
cat /proc/$!/stat > stat
kill -TERM $!
kill -CONT $!
wait $!
echo "code $?"
`,
  );
  const { stdout } = sandbox.shell(
    'cd "$TMPDIR" && printf "\\n" | script --quiet --command "bash job.sh" --return /dev/null',
  );
  expect(stdout).toMatch(/^HTTP\/1\.1 403/m);
  expect(readFileSync(join(sandbox.dir, 'stat'), 'utf8')).not.toMatch(/\) T /);
  expect(stdout).toContain('code 0');
});

test('--state takes another state folder', async () => {
  mkdirSync(join(sandbox.dir, 'copied/traces'), { recursive: true });
  copyFileSync(GOOD, join(sandbox.dir, 'copied/traces/a.ndjson'));
  const started = await start('--state', join(sandbox.dir, 'copied'));
  const { port, link, folder } = linkOf(started);
  const cookie = cookieOf(await ask(port, link));
  const { files } = JSON.parse((await ask(port, `${folder}api/list`, { headers: { cookie } })).body) as Listing;
  expect(files.map(({ name }) => name)).toEqual(['traces/a.ndjson']);
  await started.end();
});

describe('a unix socket', () => {
  test('is its user’s alone, needs no link, and is gone at the end', async () => {
    const socket = join(sandbox.dir, 'own/web.sock');
    const started = await start('--socket', socket);
    expect(started.said).toEqual({ schemaVersion: 1, socket });
    expect([statSync(socket).mode & 0o777, statSync(dirname(socket)).mode & 0o777]).toEqual([0o600, 0o700]);
    expect((await ask(socket, '/')).body).toContain('<div id="app" data-served>');
    expect((await ask(socket, '/api/list')).status).toBe(200);
    expect((await ask(socket, '/api/list', { headers: { host: 'evil.example' } })).status).toBe(421);
    const second = await sandbox.run('web', '--socket', socket);
    expect([second.code, second.stdout]).toEqual([3, '']);
    expect(second.stderr).toContain('a server listens there already [E_HTTP_IN_USE]');
    expect(await started.end()).toMatchObject({ code: 0 });
    expect(existsSync(socket)).toBe(false);
  });
  test('is refused where others can get to it', async () => {
    const folder = join(sandbox.dir, 'open');
    mkdirSync(folder);
    chmodSync(folder, 0o755);
    const { code, stderr } = await sandbox.run('web', '--socket', join(folder, 's'));
    expect([code, stderr]).toEqual([3, expect.stringMatching(/others can get into the folder .*\[E_HTTP_SOCKET\]/)]);
  });
});

test('a port that is in use is told, with what to do', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const { code, stdout, stderr } = await sandbox.run('web', '--port', String(port));
  other.close();
  expect([code, stdout]).toEqual([3, '']);
  expect(stderr).toContain(`port ${port} of 127.0.0.1 is in use by another program [E_HTTP_IN_USE]`);
  expect(stderr).toContain('leave --port out');
  expect(stderr).not.toMatch(/\n\s+at /);
});

test.each([
  [['--port', '0'], 'expected a number from 1 to 65535'],
  [['--port', '70000'], 'expected a number from 1 to 65535'],
  [['--port', '80', '--socket', 's'], 'cannot be used with'],
  [['--socket', 's', '--open'], 'browsers do not open unix sockets'],
  [['--state', 'none'], 'there is no such folder'],
  [['none'], 'is neither a folder nor a file'],
  [['/dev/null'], 'is neither a folder nor a file'],
])('a wrong command line ends with 2: %j', async (args, said) => {
  const { code, stdout, stderr } = await sandbox.run('web', ...args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(said);
});

describe('--open', () => {
  /** A desktop that notes what it is told to open. */
  const desktop = (script: string): void => {
    mkdirSync(join(sandbox.dir, 'bin'));
    writeFileSync(join(sandbox.dir, 'bin/xdg-open'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    sandbox.env['PATH'] = `${join(sandbox.dir, 'bin')}:${process.env['PATH']}`;
  };
  test('opens a file of this user’s own that leads to the link: a command line everybody can read', async () => {
    desktop(`echo "$@" > ${sandbox.dir}/asked; echo opened >&2`);
    const started = await start('--open');
    const asked = join(sandbox.dir, 'asked');
    await expect.poll(() => existsSync(asked) && readFileSync(asked, 'utf8').endsWith('\n')).toBe(true);
    const file = readFileSync(asked, 'utf8').trim();
    expect(file).toMatch(/^\/.*open\.html$/);
    expect([statSync(file).mode & 0o777, statSync(dirname(file)).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(readFileSync(file, 'utf8')).toContain(`url=${started.said.url}"`);
    const { port, link } = linkOf(started);
    await ask(port, link);
    await started.running.until('the link was used');
    expect(existsSync(file)).toBe(false);
    expect(await started.end()).toMatchObject({ code: 0 });
  });
  test.each([
    ['fails', 'exit 3', 'exit code 3'],
    ['is not there', undefined, 'not installed'],
  ])('says that a desktop %s, and serves all the same', async (_, script, said) => {
    if (script === undefined) {
      // What bin/syndrome needs, and nothing else.
      mkdirSync(join(sandbox.dir, 'bin'));
      for (const tool of ['dirname', 'readlink', 'uname'])
        symlinkSync(`/usr/bin/${tool}`, join(sandbox.dir, 'bin', tool));
      sandbox.env['PATH'] = join(sandbox.dir, 'bin');
    } else desktop(script);
    const started = await start('--open');
    await started.running.until(`no browser was opened (xdg-open: ${said})`);
    expect(await started.end()).toMatchObject({ code: 0 });
  });
});

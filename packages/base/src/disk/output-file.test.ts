import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { followLinks } from './follow.ts';
import { checkOutput, openOutput, writeOutput } from './output-file.ts';

/** Nobody in particular, but not who runs this. */
const STRANGER = 65534;
const root = process.getuid?.() === 0;

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'out-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const at = (name: string): string => join(dir, name);

function fifo(name: string): string {
  execFileSync('mkfifo', [at(name)]);
  return at(name);
}

/** What an output is refused for, before the work and, had it come there meanwhile, after it. */
async function refusal(path: string): Promise<string[]> {
  const before = (stream: boolean): string => {
    try {
      checkOutput('--x', path, { stream });
      return 'accepted';
    } catch (error) {
      expect(error).toMatchObject({ code: 'E_USAGE_FILE', hint: expect.stringContaining('file') });
      return (error as Error).message.replace(`--x ${path}: `, '');
    }
  };
  const after = [
    await writeOutput(path, 'x').catch((error: Error) => error),
    await Promise.resolve()
      .then(() => openOutput(path))
      .catch((error: Error) => error),
  ];
  expect(after).toEqual([expect.any(Error), expect.any(Error)]);
  return [...new Set([before(false), before(true)])];
}

describe('an output is refused before the work', () => {
  test('where its name is none', async () => {
    expect(await refusal('')).toEqual(['not the name of a file']);
    expect(await refusal(`${dir}/x/`)).toEqual(['not the name of a file']);
    expect(await refusal(dir)).toEqual(['not the name of a file but of a folder']);
  });

  test('where it is a named pipe, a socket or a loop of links', async () => {
    expect(await refusal(fifo('pipe'))).toEqual(['not a regular file but a named pipe']);
    symlinkSync('pipe', at('to-pipe'));
    expect(await refusal(at('to-pipe'))).toEqual(['not a regular file but a named pipe']);
    const server = createServer();
    await new Promise<void>(resolve => server.listen(at('socket'), resolve));
    expect(await refusal(at('socket'))).toEqual(['not a regular file but a socket']);
    await new Promise(resolve => server.close(resolve));
    symlinkSync('loop', at('loop'));
    expect(await refusal(at('loop'))).toEqual([expect.stringContaining('too many symbolic links')]);
  });

  test('where nothing can be made, root or not', async () => {
    expect(await refusal('/proc/x.html')).toEqual(['nothing can be written to /proc']);
    writeFileSync(at('file'), '');
    expect(await refusal(at('file/x'))).toEqual([`there is no folder ${at('file')}`, expect.any(String)]);
  });

  test('and nothing is made or changed by the look', () => {
    writeFileSync(at('old'), 'old', { mode: 0o640 });
    const before = statSync(at('old'));
    for (const name of ['old', 'new']) {
      checkOutput('--x', at(name));
      checkOutput('--x', at(name), { stream: true });
    }
    checkOutput('--x', at('a/b/trace'), { stream: true });
    expect(readdirSync(dir)).toEqual(['old']);
    expect(readFileSync(at('old'), 'utf8')).toBe('old');
    expect(statSync(at('old')).ino).toBe(before.ino);
  });
});

describe('an output that is written whole', () => {
  test('is new as the umask says, and keeps its mode when it is there', async () => {
    await writeOutput(at('new'), 'x');
    expect(statSync(at('new')).mode & 0o777).toBe(0o666 & ~process.umask());
    chmodSync(at('new'), 0o604);
    await writeOutput(at('new'), 'y');
    expect([readFileSync(at('new'), 'utf8'), statSync(at('new')).mode & 0o777]).toEqual(['y', 0o604]);
  });

  test('through a symbolic link changes what the link leads to, there or not', async () => {
    mkdirSync(at('far'));
    writeFileSync(at('far/file'), 'old');
    symlinkSync('far/../far/file', at('link'));
    symlinkSync(at('far/made'), at('to-nothing'));
    await writeOutput(at('link'), 'new');
    await writeOutput(at('to-nothing'), 'made');
    expect(lstatSync(at('link')).isSymbolicLink()).toBe(true);
    expect(readdirSync(at('far')).map(name => readFileSync(at(`far/${name}`), 'utf8'))).toEqual(['new', 'made']);
  });

  test('to a device goes to the device, and says when that takes nothing', async () => {
    await writeOutput('/dev/null', 'x');
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    await expect(writeOutput('/dev/full', 'x')).rejects.toThrow(/ENOSPC/);
  });

  test('to a descriptor is added to what is there, as the shell has opened it', async () => {
    writeFileSync(at('file'), 'before\n');
    const fd = openSync(at('file'), 'r+');
    writeSync(fd, 'first\n');
    await writeOutput(`/dev/fd/${fd}`, 'second\n');
    const stream = openOutput(`/proc/self/fd/${fd}`);
    stream.end('third\n');
    await finished(stream);
    writeSync(fd, 'fourth\n');
    closeSync(fd);
    expect(readFileSync(at('file'), 'utf8')).toBe('first\nsecond\nthird\nfourth\n');
  });

  test('to a pipe that nobody reads ends when it is to end', async () => {
    const shell = spawn('sh', ['-c', "sleep 60 | sh -c 'echo $$; exec sleep 60'"], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    const closed = once(shell, 'close');
    try {
      const [said] = (await once(shell.stdout, 'data')) as [Buffer];
      const stdin = `/proc/${said.toString().trim()}/fd/0`;
      expect(readlinkSync(stdin)).toMatch(/^pipe:/);
      checkOutput('--x', stdin);
      const abort = new AbortController();
      const writing = writeOutput(stdin, 'x'.repeat(1 << 20), abort.signal);
      abort.abort();
      await expect(writing).rejects.toThrow(/abort/);
    } finally {
      process.kill(-Number(shell.pid), 'SIGKILL');
      await closed;
    }
  });
});

describe('an output that is written piece by piece', () => {
  test('is for its user alone, and replaces what was there', async () => {
    for (const text of ['a long first one', 'short']) {
      const stream = openOutput(at('trace'));
      stream.end(text);
      await finished(stream);
    }
    expect([readFileSync(at('trace'), 'utf8'), statSync(at('trace')).mode & 0o777]).toEqual(['short', 0o600]);
  });
});

describe('in a folder that everybody may write to', () => {
  beforeEach(context => {
    if (!root) context.skip('only root can lay out files of another user');
    chmodSync(dir, 0o1777);
    mkdirSync(at('mine'));
    writeFileSync(at('mine/file'), 'mine');
  });

  test('a link of another user is not followed, at the end of a path or on its way', async () => {
    symlinkSync(at('mine/file'), at('trap'));
    symlinkSync(at('mine'), at('way'));
    for (const name of ['trap', 'way']) lchownSync(at(name), STRANGER, STRANGER);
    for (const path of [at('trap'), at('way/file'), at('way/new')]) {
      expect(await refusal(path)).toEqual([expect.stringContaining('is a symbolic link of another user')]);
    }
    expect([readdirSync(at('mine')), readFileSync(at('mine/file'), 'utf8')]).toEqual([['file'], 'mine']);
  });

  test('a file of another user is not written to', async () => {
    writeFileSync(at('theirs'), 'theirs', { mode: 0o666 });
    chownSync(at('theirs'), STRANGER, STRANGER);
    expect(await refusal(at('theirs'))).toEqual([expect.stringContaining('a file of another user')]);
    expect(readFileSync(at('theirs'), 'utf8')).toBe('theirs');
  });

  test('links and files of this user, and of the owner of the folder, are as everywhere', async () => {
    symlinkSync(at('mine/file'), at('own'));
    await writeOutput(at('own'), 'through my link');
    expect(readFileSync(at('mine/file'), 'utf8')).toBe('through my link');
    chownSync(dir, STRANGER, STRANGER);
    symlinkSync(at('mine/file'), at('owners'));
    lchownSync(at('owners'), STRANGER, STRANGER);
    await writeOutput(at('owners'), 'through the link of the owner');
    expect(readFileSync(at('mine/file'), 'utf8')).toBe('through the link of the owner');
  });

  test('a link that is put in place of what was looked at is replaced or refused, never followed', async () => {
    checkOutput('--x', at('new'));
    checkOutput('--x', at('new'), { stream: true });
    symlinkSync(at('mine/file'), at('new'));
    lchownSync(at('new'), STRANGER, STRANGER);
    await expect(writeOutput(at('new'), 'x')).rejects.toThrow(/symbolic link of another user/);
    expect(() => openOutput(at('new'))).toThrow(/symbolic link of another user/);
    expect(readFileSync(at('mine/file'), 'utf8')).toBe('mine');
  });

  test('links and files that change all the time never lead elsewhere', async () => {
    // Another program swaps the name between nothing, a file and a link to ours, as fast as it can.
    const swap = `while :; do rm -f race; ln -s mine/file race; rm -f race; : > race; done`;
    const child = spawn('setpriv', ['--reuid', `${STRANGER}`, '--clear-groups', 'sh', '-c', swap], {
      cwd: dir,
      stdio: 'ignore',
    });
    try {
      let tried = 0;
      for (const end = Date.now() + 1500; Date.now() < end; tried++) {
        await writeOutput(at('race'), 'x').catch(() => {});
        try {
          openOutput(at('race')).destroy();
        } catch {
          // Refused, or gone meanwhile.
        }
        // What we made there is ours: the other user could not swap it any more.
        rmSync(at('race'), { force: true });
      }
      expect(tried).toBeGreaterThan(20);
    } finally {
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
    }
    expect(readFileSync(at('mine/file'), 'utf8')).toBe('mine');
  });

  test('a file that is replaced stays that of its owner', async () => {
    mkdirSync(at('home'));
    chownSync(at('home'), STRANGER, STRANGER);
    writeFileSync(at('home/file'), 'old');
    chownSync(at('home/file'), STRANGER, STRANGER);
    await writeOutput(at('home/file'), 'new');
    expect([readFileSync(at('home/file'), 'utf8'), statSync(at('home/file')).uid]).toEqual(['new', STRANGER]);
  });
});

test('links are followed as the kernel follows them', () => {
  mkdirSync(at('a/b'), { recursive: true });
  symlinkSync('a/b', at('s'));
  expect(followLinks(`${dir}/s/../x`)).toEqual({ path: at('a/x'), descriptor: false });
  expect(followLinks(at('no/such/x'))).toEqual({ path: at('no/such/x'), descriptor: false });
  expect(followLinks('/dev/stdin')).toMatchObject({ descriptor: true });
});

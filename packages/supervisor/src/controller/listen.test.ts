import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listenAt } from './listen.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'listen-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const said = async (path: string): Promise<string> => text(connect(path));

test('one that comes after another has the path, and the end of the first one leaves it', async () => {
  const path = join(dir, 'run/s');
  const first = await listenAt(path, socket => socket.end('first'));
  expect(await said(path)).toBe('first');
  const second = await listenAt(path, socket => socket.end('second'));
  expect(await said(path)).toBe('second');
  await first.close();
  expect(await said(path)).toBe('second');
  await second.close();
  // What is left is a name that nobody answers to.
  expect(readdirSync(join(dir, 'run'))).toEqual(['s']);
  await expect(once(connect(path), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('its end ends its connections', async () => {
  const path = join(dir, 'run/s');
  const server = await listenAt(path, () => {});
  const socket = connect(path);
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  await server.close();
  expect(await closed).toEqual([false]);
});

test.each<[string, (dir: string) => string, string]>([
  ['over TCP', () => '127.0.0.1:4433', 'nothing is taken over TCP'],
  ['at a path that is too long', d => join(d, 'x'.repeat(100)), 'limited to 98 bytes'],
  ['in a folder that others may enter', d => (mkdirSync(join(d, 'o'), 0o755), join(d, 'o/s')), 'its folder'],
  [
    'in a folder that others may write to',
    d => (mkdirSync(join(d, 'w')), chmodSync(join(d, 'w'), 0o1777), join(d, 'w/s')),
    'its folder',
  ],
])('nothing listens %s', async (_what, path, why) => {
  await expect(listenAt(path(dir), () => {})).rejects.toMatchObject({
    code: 'E_CONTROLLER_LISTEN',
    message: expect.stringContaining(why) as unknown,
  });
});

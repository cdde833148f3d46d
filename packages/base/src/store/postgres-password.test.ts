import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { passwordFor } from './postgres-password.ts';

const folder = mkdtempSync(join(tmpdir(), 'pass-'));
const file = join(folder, 'file');
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(file, { force: true }));
const write = (text: string, mode = 0o600): void => {
  writeFileSync(file, text);
  chmodSync(file, mode);
};
const account = { host: 'db', port: 5432, database: 'ledger', user: 'syndrome' };
const looked = (more: object = {}): string | undefined =>
  passwordFor({ ...account, ...more }, undefined, { PGPASSFILE: file });

test('a file of its own is the password, without the end of its line', () => {
  write(' a b:c \n');
  expect(passwordFor(account, file, {})).toBe(' a b:c ');
});

test('of a PGPASSFILE it is that of the first line that is for the server', () => {
  write(
    '# db:5432:ledger:syndrome:no\nother:*:*:*:no\ndb:5433:*:*:no\ndb:5432:ledger:syndrome:p\\:\\\\w\n*:*:*:*:any\n',
  );
  expect(looked()).toBe('p:\\w');
  expect(looked({ user: 'x' })).toBe('any');
  write('localhost:*:*:*:socket\n::1\n');
  expect(looked({ host: '/var/run/postgresql' })).toBe('socket');
  expect(looked({ host: '/run/pg' })).toBeUndefined();
  write('/run/pg:*:*:*:other\n');
  expect(looked({ host: '/run/pg' })).toBe('other');
  write('localhost:*:*:*:socket\n');
  expect(looked()).toBeUndefined();
  write('\\:\\:1:*:*:*:six\n');
  expect(looked({ host: '::1' })).toBe('six');
});

test.each<[string, () => void, string]>([
  ['that others may read', () => write('hush', 0o640), 'may be read by others'],
  ['that is not there', () => {}, 'cannot be read'],
])('a file %s is refused, and nothing of it said', (_what, make, why) => {
  make();
  for (const ask of [() => passwordFor(account, file, {}), () => looked()]) {
    expect(ask).toThrow(
      expect.objectContaining({ code: 'E_STORE_OPEN', message: expect.stringContaining(why) as unknown }),
    );
    expect(ask).not.toThrow('hush');
  }
});

import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { derivedDamage, isDerivedName, makeDerived } from './derived.ts';

let dir = '';
let file = '';
let made = 0;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'derived-'));
  file = join(dir, 'sub/image.cpio');
  made = 0;
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const make = (): Promise<void> =>
  makeDerived(file, fresh => {
    made++;
    writeFileSync(fresh, 'content');
  });

describe('a derived file', () => {
  test('is made once', async () => {
    await make();
    await make();
    expect([made, readFileSync(file, 'utf8'), derivedDamage(file, { full: true })]).toEqual([1, 'content', undefined]);
    expect(readdirSync(join(dir, 'sub')).filter(isDerivedName)).toEqual(['image.cpio']);
    expect(readdirSync(join(dir, 'sub'))).toHaveLength(2);
  });

  test.each<[string, () => void, string]>([
    ['was cut', () => truncateSync(file, 3), '3 bytes instead of 7'],
    ['has grown', () => appendFileSync(file, 'x'), '8 bytes instead of 7'],
    [
      'has another content',
      () => (writeFileSync(file, 'CONTENT'), utimesSync(file, 1, 1)),
      'another content than noted',
    ],
    ['is gone', () => rmSync(file), 'missing'],
    ['has no note', () => rmSync(`${file}.json`), 'nothing is noted of its content'],
    ['has half a note', () => truncateSync(`${file}.json`, 5), 'nothing is noted of its content'],
    ['has a note of nothing', () => writeFileSync(`${file}.json`, '{}'), 'nothing is noted of its content'],
    ['has null as its note', () => writeFileSync(`${file}.json`, 'null'), 'nothing is noted of its content'],
    [
      'has a note without a time',
      () => writeFileSync(`${file}.json`, readFileSync(`${file}.json`, 'utf8').replace('mtimeMs', 'time')),
      'nothing is noted of its content',
    ],
  ])('that %s is told and made again', async (_what, damage, said) => {
    await make();
    damage();
    expect(derivedDamage(file)).toBe(said);
    await make();
    expect([made, derivedDamage(file, { full: true }), readFileSync(file, 'utf8')]).toEqual([2, undefined, 'content']);
  });

  test('with another content behind the same time is found by the full look', async () => {
    await make();
    const { mtime } = statSync(file);
    writeFileSync(file, 'CONTENT');
    utimesSync(file, mtime, mtime);
    expect([derivedDamage(file), derivedDamage(file, { full: true })]).toEqual([
      undefined,
      'another content than noted',
    ]);
  });

  test('that was copied is not made again, and is quick to look at from then on', async () => {
    await make();
    const { mtimeMs } = statSync(file);
    utimesSync(file, 1, 1);
    await make();
    expect(made).toBe(1);
    expect(Math.abs(statSync(file).mtimeMs - mtimeMs)).toBeLessThan(2);
  });

  test('that cannot be made leaves nothing', async () => {
    const failing = makeDerived(file, fresh => {
      writeFileSync(fresh, 'half');
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(readdirSync(join(dir, 'sub'))).toEqual([]);
  });

  test('made several times at once is whole', async () => {
    await Promise.all([make(), make(), make()]);
    expect(derivedDamage(file, { full: true })).toBe(undefined);
    expect(readdirSync(join(dir, 'sub'))).toHaveLength(2);
  });
});

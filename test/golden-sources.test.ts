/** Every golden file says in `sources.tsv` of its folder whether it is real, and from where, or made. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const KINDS = ['real', 'made', 'output'];

const folders = globSync(['packages/*/src/**/golden', 'test/golden'], { cwd: ROOT }).map(f => f.replaceAll('\\', '/'));

test('there are golden folders', () => {
  expect(folders.length).toBeGreaterThan(4);
});

describe.each(folders)('%s', folder => {
  const files = globSync('**/*.*', { cwd: join(ROOT, folder) })
    .map(f => f.replaceAll('\\', '/'))
    .filter(f => f !== 'sources.tsv' && f !== 'README.md');
  const manifest = join(ROOT, folder, 'sources.tsv');
  const rows = (existsSync(manifest) ? readFileSync(manifest, 'utf8') : '')
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => line.split('\t'));

  test('each line names a file or a pattern, its kind and its source, and no file twice', () => {
    for (const [name = '', kind = '', source = '', ...rest] of rows) {
      expect(
        files.some(f => matchesGlob(f, name)),
        `${name}: there is no such file`,
      ).toBe(true);
      expect(KINDS, `${name}: the kind is one of ${KINDS.join(', ')}`).toContain(kind);
      expect(source.length, `${name}: say where it comes from`).toBeGreaterThan(10);
      expect(rest).toEqual([]);
    }
    expect(new Set(rows.map(([name]) => name)).size).toBe(rows.length);
  });

  test('each file has a line', () => {
    const inputs = new Set(files.filter(f => !f.endsWith('.golden')).map(f => f.replace(/\.[^.]+$/, '')));
    const silent = files.filter(
      f =>
        !rows.some(([name = '']) => matchesGlob(f, name)) &&
        // The output of an input that stands beside it.
        !(f.endsWith('.golden') && inputs.has(f.replace(/\.golden$/, ''))),
    );
    expect(silent, `add them to ${folder}/sources.tsv`).toEqual([]);
  });
});

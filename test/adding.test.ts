/** docs/adding.md, carried out: each recipe in a copy of the sources, exactly as it is written, and what it promises is looked for. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT, cooked, recipes, syndrome } from './recipes.ts';

test('there is a recipe for each of these', () => {
  expect(recipes().map(r => r.name)).toEqual(['A bank type', 'A log form', 'A step', 'A kind of machine']);
});

describe.each(recipes().map(r => [r.name, r] as const))('%s', { timeout: 400_000 }, (_name, recipe) => {
  test('is made in two or three files, and is there', () => {
    const touched = new Set(recipe.edits.map(e => e.file).filter(file => file.startsWith('packages/')));
    expect([2, 3]).toContain(touched.size);
    expect(recipe.commands.length).toBeGreaterThan(0);
    const folder = cooked(recipe);
    for (const { args, shown } of recipe.commands) {
      const printed = syndrome(folder, args);
      for (const line of shown) expect(printed, args.join(' ')).toContain(line);
    }
  });
});

test('together they compile', { timeout: 400_000 }, () => {
  const edits = recipes().flatMap(recipe => recipe.edits.filter(edit => edit.file.startsWith('packages/')));
  const folder = cooked({ edits });
  const config = { extends: join(ROOT, 'tsconfig.json'), include: ['packages'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const checked = spawnSync(process.execPath, [tsc, '--project', folder], { encoding: 'utf8', timeout: 200_000 });
  expect({ messages: checked.stdout, code: checked.status }).toEqual({ messages: '', code: 0 });
});

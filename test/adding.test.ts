/** docs/adding.md, carried out: each recipe in a copy of the sources, exactly as it is written, and what it promises is looked for. */
import { execFileSync, spawnSync } from 'node:child_process';
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

/** Prints the outlooks of scenarios, by the sources of the folder it runs in, as a run states them: without a version, of any. */
const OUTLOOKS = `
import { outlookOf } from '@syndrome/lab/outlook.ts';
import { findScenario } from '@syndrome/lab/scenario/load.ts';
const parts = { qemu: '11.1.3', kernel: '7.2.12' };
const values = new Map([['page', 0x1000n]]);
const of = ({ machine, steps }) => outlookOf({ machine, steps, accel: 'tcg', parts, values }) ?? null;
console.log(JSON.stringify(process.argv.slice(2).map(file => of(findScenario(file)))));
`;

test('a step is in the schema, in completion and in the outlook with no other file', { timeout: 400_000 }, () => {
  const recipe = recipes().find(({ name }) => name === 'A step');
  if (recipe === undefined) throw new Error('there is no recipe for a step');
  const { outcome, rule } = /`outlook: (?<outcome>\w+), by (?<rule>[\w.-]+)`/.exec(recipe.text)?.groups ?? {};
  expect(outcome).toBe('signalled');
  const files = recipe.edits.map(e => e.file).filter(file => file.startsWith('packages/'));
  const registry = 'packages/lab/src/steps/registry.ts';
  const steps = files.flatMap(file => /^packages\/lab\/src\/steps\/([\w-]+)\.ts$/.exec(file)?.[1] ?? []);
  const added = [...new Set(steps)].filter(step => step !== 'registry');
  expect(new Set(files)).toEqual(new Set([registry, ...added.map(step => `packages/lab/src/steps/${step}.ts`)]));
  const folder = cooked(recipe);
  const schema = syndrome(folder, ['scenarios', '--schema']).join('\n');
  const completion = syndrome(folder, ['completion', 'bash']).join('\n');
  for (const step of added) {
    expect(schema).toContain(`"${step}": {`);
    expect(completion).toMatch(new RegExp(`\\b${step}\\b`));
  }
  writeFileSync(join(folder, 'outlooks.ts'), OUTLOOKS);
  const printed = execFileSync(process.execPath, ['outlooks.ts', './try.yaml', './scrub.yaml'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 200_000,
  });
  expect(JSON.parse(printed)).toEqual([
    // What a parameter of the kernel changes is not known.
    null,
    expect.objectContaining({ outcome, rule, certainty: 'certain' }),
  ]);
});

test('together they compile', { timeout: 400_000 }, () => {
  const edits = recipes().flatMap(recipe => recipe.edits.filter(edit => edit.file.startsWith('packages/')));
  const folder = cooked({ edits });
  // What runs in a browser alone is compiled by a project of its own.
  const config = { extends: join(ROOT, 'tsconfig.json'), include: ['packages'], exclude: ['packages/web/src/page'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const checked = spawnSync(process.execPath, [tsc, '--project', folder], { encoding: 'utf8', timeout: 200_000 });
  expect({ messages: checked.stdout, code: checked.status }).toEqual({ messages: '', code: 0 });
});

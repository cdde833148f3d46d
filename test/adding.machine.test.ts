/** The steps and the kind of machine of docs/adding.md run: each in a copy of the sources, on a real machine. */
import { expect, test } from 'vitest';
import { cooked, recipes, syndrome } from './recipes.ts';

const RUN_MS = 300_000;

const scenarios = recipes().flatMap(recipe =>
  recipe.edits.filter(edit => /^[\w-]+\.yaml$/.test(edit.file)).map(edit => [recipe.name, edit.file, recipe] as const),
);

test('each of these has a scenario', () => {
  expect(scenarios.map(([name, file]) => [name, file])).toEqual([
    ['A step', 'try.yaml'],
    ['A step', 'scrub.yaml'],
    ['A kind of machine', 'try.yaml'],
  ]);
});

test.each(scenarios)('%s: %s runs', (_name, file, recipe) => {
  const printed = syndrome(cooked(recipe), ['run', `./${file}`, '--cold'], RUN_MS);
  expect(printed.filter(line => line.startsWith('PASS'))).toHaveLength(1);
  if (file !== 'scrub.yaml') return;
  const outlook = /^`syndrome run .*: `(outlook: .+)`/m.exec(recipe.text)?.[1] ?? '';
  expect(printed.filter(line => line.includes(outlook))).toHaveLength(1);
});

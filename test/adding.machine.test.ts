/** The step and the kind of machine of docs/adding.md run: each in a copy of the sources, on a real machine. */
import { expect, test } from 'vitest';
import { cooked, recipes, syndrome } from './recipes.ts';

const RUN_MS = 300_000;

test.each(
  recipes()
    .filter(recipe => recipe.edits.some(edit => edit.file === 'try.yaml'))
    .map(r => [r.name, r] as const),
)('%s runs', (_name, recipe) => {
  const printed = syndrome(cooked(recipe), ['run', './try.yaml', '--cold'], RUN_MS);
  expect(printed.filter(line => line.startsWith('PASS'))).toHaveLength(1);
});

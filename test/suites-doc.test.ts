/** The pages that name scenarios in tables, beside the program that has them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundledScenarios } from '@syndrome/lab/scenario/load.ts';

const names = new Set(bundledScenarios().map(({ name }) => name));
/** Families of scenarios: their variants have a point in the name. */
const families = new Set([...names].map(name => name.split('.')[0]));

/** What the column of a table calls a scenario. */
function namedIn(file: string, column: number): string[] {
  const rows = readFileSync(join(import.meta.dirname, '../docs', file), 'utf8')
    .split('\n')
    .filter(line => line.startsWith('| '));
  return rows.flatMap(row => {
    const cell = row.split('|')[column] ?? '';
    return [...cell.matchAll(/`([a-z0-9][\w.-]+)`/g)].flatMap(([, name = '']) => name);
  });
}

/** Words of a command line, and steps, that stand in a cell beside scenarios. */
const OTHERS = new Set(['map', 'inject-mce']);

test.each([
  ['suites.md', 2, 60],
  ['amd-deferred.md', 3, 8],
])('each scenario that docs/%s names is one', (file, column, least) => {
  const named = namedIn(file, column).filter(name => !OTHERS.has(name));
  expect(named.length).toBeGreaterThanOrEqual(least);
  expect(named.filter(name => !names.has(name) && !families.has(name))).toEqual([]);
});

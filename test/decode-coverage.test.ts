/** docs/decode-coverage.md is what the tables, the readers and the goldens are. `UPDATE_GOLDEN=1` writes it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeCoverage } from './decode-coverage.ts';

const DOC = join(import.meta.dirname, '../docs/decode-coverage.md');

test('the page of what is read is current', () => {
  const page = decodeCoverage();
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(DOC, page);
  else expect(readFileSync(DOC, 'utf8')).toBe(page);
});

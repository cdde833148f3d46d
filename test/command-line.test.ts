/** The scripts, with a command line that is wrong. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HOSTILE } from '../scripts/fuzz/oracles.ts';

const SCRIPTS = join(import.meta.dirname, '../scripts');
const EVIL = '\u001b]0;x\u202e';
const SHOWN = '\\x1b]0;x\\u{202e}';

test.each<[script: string, args: string[], said: string]>([
  ['coverage', [`--${EVIL}`], `Unknown option '--${SHOWN}'`],
  ['coverage', [EVIL], `no room ${SHOWN}: `],
  ['coverage', ['constructor'], 'no room constructor: '],
  ['mutation', [`--${EVIL}`], `Unknown option '--${SHOWN}'`],
  ['mutation', [EVIL], `no room ${SHOWN}: `],
  ['mutation', ['--sample'], "Option '--sample <value>' argument missing"],
  ['demo', [EVIL], `Unexpected argument '${SHOWN}'`],
  ['check', ['--bogus'], "Unknown option '--bogus'"],
  ['format', ['--bogus'], "Unknown option '--bogus'"],
  ['test', ['fast', `--${EVIL}`], SHOWN],
  ['test', ['--bogus'], 'Unknown option `--bogus`'],
  ['test', [EVIL], `no test is named so: ${SHOWN}`],
])('%s %j is told in one line, with exit code 2', (script, args, said) => {
  const ended = spawnSync(process.execPath, [join(SCRIPTS, `${script}.ts`), ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  // A run of the tests says in its last line how many there were, whatever happens.
  expect([ended.status, ended.stdout]).toEqual([2, script === 'test' ? '0 passed, 1 failed\n' : '']);
  expect(ended.stderr).toContain(said);
  expect(ended.stderr).toMatch(/^[^\n]+\n$/);
  expect(ended.stderr.trimEnd()).not.toMatch(HOSTILE);
});

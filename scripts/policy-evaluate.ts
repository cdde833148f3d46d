/**
 * `npm run policy:evaluate -- [--episodes N] [--thresholds N] [--assumptions N] [--seed S] [--assume NAME=NUMBER]
 * [--json] [--write]`: the shipped policy against others, on faults as the field has them, or as they are at a site of your own. `--write` keeps the numbers in docs/policy-evaluation.json, and writes tables and picture of
 * docs/policy-evaluation.md anew; of numbers that are kept already with `--kept`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ASSUMPTIONS } from '@syndrome/supervisor/evaluate/assumptions.ts';
import { type Evaluation, evaluate } from '@syndrome/supervisor/evaluate/evaluate.ts';
import { plotOf } from '@syndrome/supervisor/evaluate/plot.ts';
import { tablesOf, withTables } from '@syndrome/supervisor/evaluate/tables.ts';
import { commandLine, wrongCommandLine } from './command-line.ts';

const DOCS = join(import.meta.dirname, '../docs');
const { values } = commandLine({
  options: {
    episodes: { type: 'string', default: '1000' },
    thresholds: { type: 'string', default: '400' },
    assumptions: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    assume: { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    kept: { type: 'boolean', default: false },
  },
});
const whole = (name: 'episodes' | 'thresholds' | 'assumptions' | 'seed'): number => {
  const n = Number(values[name]);
  return Number.isSafeInteger(n) && n > 0 && n < 1_000_000
    ? n
    : wrongCommandLine(`--${name} ${values[name]}: not a whole number from 1 to 999999`);
};
const episodes = {
  policies: whole('episodes'),
  thresholds: whole('thresholds'),
  assumptions: whole('assumptions'),
};
const assume = Object.fromEntries(
  values.assume.map(word => {
    const [name = '', number = ''] = word.split('=');
    const known = ASSUMPTIONS.some(one => one.name === name);
    if (!known || number === '' || !(Number(number) >= 0))
      wrongCommandLine(`--assume ${word}: not NAME=NUMBER of ${ASSUMPTIONS.map(one => one.name).join(', ')}`);
    return [name, Number(number)];
  }),
);
if (values.write && values.assume.length > 0)
  wrongCommandLine('--write keeps what is assumed for everybody, without --assume');
const kept = join(DOCS, 'policy-evaluation.json');
const told = (what: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${what}`);
  else console.error(what);
};
const evaluation = values.kept
  ? (JSON.parse(readFileSync(kept, 'utf8')) as Evaluation)
  : evaluate({ seed: whole('seed'), episodes, assume, told });
if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
if (values.write) {
  const document = join(DOCS, 'policy-evaluation.md');
  writeFileSync(kept, `${JSON.stringify(evaluation)}\n`);
  writeFileSync(document, withTables(readFileSync(document, 'utf8'), evaluation));
  writeFileSync(join(DOCS, 'policy-evaluation.svg'), plotOf(evaluation));
}
if (values.json) console.log(JSON.stringify(evaluation));
else for (const [name, body] of Object.entries(tablesOf(evaluation))) console.log(`${name}\n${body}\n`);

/** What is read of each golden input is read in whatever people carry its lines; what is not yet stands in a list, and is held too. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { stringify } from '../common/hex.ts';
import { decode } from './decoder.ts';
import { toData } from './record.ts';
import { LINE_CARRIERS } from './testing/line-carriers.ts';

const DIRECTORY = join(import.meta.dirname, 'golden');
const GOLDEN = join(DIRECTORY, 'carrier-table.golden');

/** Inputs that are no lines of a log (values, bytes, commands) or that something carries already; and those that hold none. */
const OTHERS =
  /^(?:mce-erst|mce-inject|esr|value-|cper-|xen-mcelog|ipmi-sel-raw|trace-|vmm-events|qmp|json-|journal|carried|linux-transports|node-problem|redfish|windows-event|whea-taken|bmc-pel|mail-|no-)/;
const inputs = readdirSync(DIRECTORY)
  .filter(name => name.endsWith('.in') && !OTHERS.test(name))
  .map(name => name.slice(0, -3));

/** Everything but where, when and in which line. */
const said = (input: Uint8Array | string): string[] =>
  decode(input).records.map(record =>
    stringify({ ...toData(record), source: undefined, time: undefined, raw: undefined }),
  );

it('reads the same in every carrier, but for what the list says', () => {
  const differs: string[] = [];
  for (const name of inputs) {
    const text = readFileSync(join(DIRECTORY, `${name}.in`), 'utf8');
    const lines = text.replace(/\n$/, '').split('\n');
    const alone = said(text);
    for (const [carrier, carry] of Object.entries(LINE_CARRIERS)) {
      const carried = said(carry(lines));
      if (carried.join('\n') !== alone.join('\n'))
        differs.push(`${carrier}\t${name}\t${carried.length} of ${alone.length} records`);
    }
  }
  const cells = inputs.length * Object.keys(LINE_CARRIERS).length;
  const list = [`${differs.length} of ${cells} cells differ`, ...differs.toSorted(), ''].join('\n');
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(GOLDEN, list);
  expect(list).toBe(readFileSync(GOLDEN, 'utf8'));
}, 300_000);

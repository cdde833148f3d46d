import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createDecoder } from '../decode/decoder.ts';
import { ticketOf } from './ticket.ts';
import { Triage } from './triage.ts';

function ticket(bytes: Uint8Array | string, input = 'kern.log'): string {
  const sums = new Triage();
  const decoder = createDecoder({ input, onRecord: r => sums.add(r) });
  decoder.push(bytes);
  decoder.end();
  return ticketOf(sums.report()).join('\n');
}

it('says the worst, what to do, and each part, as Markdown', () => {
  const text = ticket(readFileSync(join(import.meta.dirname, 'golden', 'five-witnesses.in')));
  expect(text).toMatch(
    /^## Hardware errors: 1 uncorrected\n\n\*\*Worst: uncorrected, page still in use, SIGBUS to einj\\_mem\\_uc:12283 at 0x00000007e025e400 in NODE 3 CPU0\\_DIMM\\_G1\*\*\n/,
  );
  expect(text).toContain('One error, 5 records, joined to the first: 4 by the same page at the same time.');
  expect(text).toContain('### Next steps\n\n1. Restart the machine soon');
  expect(text).toMatch(
    /- \*\*NODE 3 CPU0\\_DIMM\\_G1\*\*: 1 uncorrected; at 77\.508704;.*also CPU\\_SrcID\\#0\\_MC\\#3/,
  );
});

it('counts errors, not lines, and has a step for each cause', () => {
  const lines = [
    '[1.000000] EDAC MC0: 128 CE memory read error on DIMM_A1 (channel:0 slot:0 page:0x10 offset:0x40)',
    '[2.000000] EDAC MC0: 147 CE memory read error on DIMM_A1 (channel:0 slot:0 page:0x11 offset:0x40)',
    '[3.000000] EDAC MC0: 1 UE memory read error on DIMM_B1 (channel:1 slot:0 page:0x99 offset:0x40)',
  ];
  const text = ticket(`${lines.join('\n')}\n`);
  expect(text).toMatch(/- 2 × Memory controller driver: corrected error, 275 errors, DIMM\\_A1 /);
  expect(text).toMatch(
    /\n1\. 275 corrected, DIMM\\_A1 .*: plan to replace DIMM\\_A1: 275 corrected errors within a minute\n/,
  );
});

it('lets nothing of a log be markup', () => {
  const hostile = '<b>x</b> [a](http://b) @all `c` | *d*';
  const text = ticket(
    `[1.000000] EDAC MC0: 3 CE memory read error on ${hostile} (channel:0 slot:0 page:0x10 offset:0x40)\n`,
    hostile,
  );
  expect(text).toContain('3 corrected in 1 report');
  expect(text).not.toMatch(/(?<!\\)(?:<b>|\[a\]|@all|`)/);
});

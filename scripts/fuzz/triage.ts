/** Fuzz targets of the room `triage`: what many records come to, and all that is written of it. */
import { stringify } from '@syndrome/decode/common/hex.ts';
import { decode } from '@syndrome/decode/decode/decoder.ts';
import type { DecodedRecord } from '@syndrome/decode/decode/record.ts';
import { COLUMNS } from '@syndrome/decode/decode/wrap.ts';
import { ticketOf } from '@syndrome/decode/triage/ticket.ts';
import { Triage } from '@syndrome/decode/triage/triage.ts';
import type { TriageReport } from '@syndrome/decode/triage/triage.ts';
import { triageGroups, triageHead } from '@syndrome/decode/triage/triage-text.ts';
import { anyInput } from './inputs.ts';
import { controlFaults } from './oracles.ts';
import type { Target } from './target.ts';

/** A line may be longer than the screen by one word that has no blank. */
const tooLong = (line: string): boolean => line.length > COLUMNS && line.trimStart().includes(' ');

function sumFaults({ bySeverity, parts, incidents, groups, records }: TriageReport): string[] {
  const wrong: string[] = [];
  const sum = (all: TriageReport['bySeverity']): number => Object.values(all).reduce((n, s) => n + s.incidents, 0);
  if (sum(bySeverity) !== incidents) wrong.push(`${sum(bySeverity)} by severity of ${incidents} incidents`);
  if (incidents > records) wrong.push(`${incidents} incidents of ${records} records`);
  const ofParts = parts.reduce((n, part) => n + sum(part.bySeverity), 0);
  if (ofParts > incidents) wrong.push(`${ofParts} incidents of parts, of ${incidents}`);
  const grouped = groups.reduce((n, group) => n + group.incidents, 0);
  if (grouped < incidents || grouped > records) wrong.push(`${grouped} in groups, of ${incidents} and ${records}`);
  return wrong;
}

/** Most records of a case: inputs behind one another make incidents that are closed, and parts beyond the bound. */
const INPUTS = 6;

export const TRIAGE: readonly Target[] = [
  {
    name: 'triage:report',
    holds:
      'any records: sums that add up, the same report again, text within its columns, Markdown without markup of the input',
    weight: 6,
    open: () => chance => {
      const triage = new Triage();
      const all: DecodedRecord[] = [];
      for (let n = 1 + chance.below(INPUTS); n > 0; n--) {
        const input = chance.pick(['log', 'a\u001b[31mb', '<b>@x</b>']);
        all.push(...decode(anyInput(chance), { input, ...(chance.oneIn(3) ? { vendor: 'intel' } : {}) }).records);
      }
      for (const record of all) triage.add(record);
      const report = triage.report();
      const wrong = sumFaults(report);
      if (stringify(triage.report()) !== stringify(report)) wrong.push('another report the second time');
      const width = chance.pick([48, 72, 100]);
      const listed = chance.oneIn(2);
      const text = [...triageHead(report, { width, listed }), ...triageGroups(report, width)];
      const ticket = ticketOf(report);
      wrong.push(...controlFaults('triage', text), ...controlFaults('ticket', ticket));
      for (const line of text) if (tooLong(line)) wrong.push(`too long: ${JSON.stringify(line)}`);
      if (ticket.some(line => /(?<!\\)[<@]/.test(line))) wrong.push('markup in a ticket');
      const told =
        triage
          .incidents()
          ?.flat()
          .map(t => t.record) ?? [];
      if (new Set(told).size !== told.length) wrong.push('a record that is told twice');
      if (all.length > 0 && report.records !== all.length) wrong.push(`${report.records} records of ${all.length}`);
      return wrong;
    },
  },
];

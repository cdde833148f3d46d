/**
 * `node scripts/rasdaemon.ts`: Debian's rasdaemon in guests of the lab is given machine checks; what it prints and stores is held to the
 * records and to ours, and each disagreement is printed with who is right by the architecture document. Needs packages and QEMU, and
 * some minutes. One that nobody judged yet is a failure.
 */
import { Supply } from '@syndrome/lab/supply/supply.ts';
import { runAll } from './differential/rasdaemon/run-all.ts';

const end = new AbortController();
process.once('SIGINT', () => end.abort());
const { guests, comparisons } = await runAll(await Supply.open({ signal: end.signal }), end.signal);
for (const { guest, version, kernel, records, lines, rows, wrong } of guests) {
  console.log(`${guest}: rasdaemon ${version} on Linux ${kernel}: ${records} records, ${lines} lines, ${rows} rows`);
  for (const what of wrong) console.log(`  ${what}`);
  if (wrong.length > 0) process.exitCode = 1;
}
for (const [vendor, comparison] of Object.entries(comparisons)) {
  console.log(`\n== ${vendor}`);
  for (const paragraph of comparison.report()) console.log(`\n${paragraph}`);
  const { open } = comparison;
  if (open.length === 0) continue;
  console.log(`\n${open.length} are not judged: say in scripts/differential/rasdaemon/judged.ts who is right`);
  process.exitCode = 1;
}

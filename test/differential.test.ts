/** What is compared with mcelog is what both say, in one vocabulary; the comparison itself needs mcelog: `scripts/differential.ts`. */
import { expect, test } from 'vitest';
import { decode } from '@syndrome/decode/decode/decoder.ts';
import { mcelogSays, ourFacts } from '../scripts/differential/facts.ts';
import { JUDGED } from '../scripts/differential/judged.ts';

const OURS = `mce: [Hardware Error]: CPU 0: Machine Check Exception: 5 Bank 7: bc40004000001091
mce: [Hardware Error]: TSC 1f ADDR 1000 MISC 8c 
mce: [Hardware Error]: PROCESSOR 0:50654 TIME 1795167593 SOCKET 0 APIC 0 microcode 1
`;
/** As mcelog v208 prints it. */
const THEIRS = `Hardware event. This is not a software error.
CPU 0 BANK 7 TSC 1f 
MISC 8c ADDR 1000 
TIME 1795167593 Fri Nov 20 09:39:53 2026
MCG status:RIPV MCIP 
MCi status:
Uncorrected error
Error enabled
MCi_MISC register valid
MCi_ADDR register valid
MCA: corrected filtering (some unreported errors in same region)
MEMORY CONTROLLER RD_CHANNEL1_ERR
Transaction: Memory read error
M2M: STATUS bc40004000001091 MCGSTATUS 5
CPUID Vendor Intel Family 6 Model 85 Step 4
SOCKET 0 APIC 0 microcode 1
`;

test('the same record has the same facts, whoever decodes it', () => {
  const said = mcelogSays(THEIRS);
  const [record] = decode(OURS).records;
  if (record === undefined || said === undefined) throw new Error('one of them says nothing');
  expect([said.tsc, said.status]).toEqual(['1f', record.registers['status']]);
  const { class: ours, ...facts } = ourFacts(record);
  expect(said.facts).toEqual(facts);
  // mcelog names no class without S and AR, which is one of the judged.
  expect([ours, JUDGED.some(j => j.fact === 'class' && j.theirs.test('-') && j.ours.test('UCNA'))]).toEqual([
    'UCNA',
    true,
  ]);
});

test('each judgement names the document that decides', () => {
  for (const { why } of JUDGED) expect(why).toMatch(/SDM vol\. 3B|Linux prints it/);
});

/**
 * What is compared with mcelog and rasdaemon is what both say, in one vocabulary. The comparisons themselves need the programs:
 * `scripts/differential.ts` and `scripts/rasdaemon.ts`.
 */
import { expect, test } from 'vitest';
import { decode } from '@syndrome/decode/decode/decoder.ts';
import { mcelogSays, ourFacts } from '../scripts/differential/facts.ts';
import { JUDGED } from '../scripts/differential/judged.ts';
import { Comparison } from '../scripts/differential/compare.ts';
import { amdSays, intelSays, ourAmdFacts, ourIntelFacts } from '../scripts/differential/rasdaemon/facts.ts';
import { RAS_JUDGED_AMD, RAS_JUDGED_INTEL } from '../scripts/differential/rasdaemon/judged.ts';

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

/** As rasdaemon 0.8.3 stored it. */
const ROW = {
  bank_name: '',
  error_msg: 'MEMORY CONTROLLER RD_CHANNEL1_ERR Transaction: Memory read error MscodDataRdErr',
  mcgstatus_msg: 'mcgstatus=5 RIPV MCIP',
  mcistatus_msg: 'Uncorrected_error Error_enabled',
  mcastatus_msg: 'corrected filtering (some unreported errors in same region) M2M: ',
  user_action: '',
  mc_location: 'n_errors=0',
};

test('a row of rasdaemon for Intel has the facts of the record, but for what is judged', () => {
  const [record] = decode(OURS.replace('bc40004000001091', 'bc40000000011091')).records;
  if (record === undefined) throw new Error('no record');
  const [theirs, ours] = [intelSays(ROW), ourIntelFacts(record)];
  expect(theirs).toEqual({
    corrected: 'no',
    enabled: 'yes',
    filtered: 'yes',
    code: 'memory-controller',
    MMM: 'RD',
    CCCC: '1',
    unit: 'M2M',
    model: 'words',
    mcgStatus: 'RIPV MCIP',
    count: '0',
  });
  const comparison = new Comparison(RAS_JUDGED_INTEL);
  comparison.facts(theirs, ours, record.registers['status'] ?? 0n, 'bank 7');
  expect(comparison.open).toEqual([]);
  expect(RAS_JUDGED_INTEL.filter(row => comparison.count(row) > 0).map(row => row.fact)).toEqual(['class', 'count']);
});

test('a row of rasdaemon for AMD has the facts of the record', () => {
  const [record] = decode(
    'mce_record: CPU: 0, MCGc/s: 0/0, MC9: 9c2040000000011b, IPID: 0000009600350f00, ADDR: 0000000008000000, MISC: 000000000000008c, SYND: 5a00000000000002, RIP: 00:<0000000000000000>, TSC: 0, PPIN: 0, vendor: 2, CPUID: a10f10, time: 1, socket: 0, APIC: 0, microcode: 1\n',
  ).records;
  if (record === undefined) throw new Error('no record');
  const row = {
    ...ROW,
    bank_name: 'Unified Memory Controller (bank=9)',
    error_msg: 'Corrected error, no action required.',
    mcgstatus_msg: 'mcgstatus=0',
    mcistatus_msg: 'CECC',
    mcastatus_msg:
      "DRAM ECC error. Ext Err Code: 0 Memory Error 'mem-tx: generic read, tx: generic, level: L3/generic'",
    mc_location: 'memory_channel=3,csrow=2',
  };
  const theirs = amdSays(row, 'UMC');
  expect(theirs).toEqual(ourAmdFacts(record));
  expect(theirs).toMatchObject({ unit: 'UMC', class: 'CE', channel: '3', chipSelect: '2', extended: 'ECC' });
});

test('what nobody has judged is open, and a judgement that nothing meets is idle', () => {
  const comparison = new Comparison(RAS_JUDGED_AMD);
  comparison.facts({ class: 'UC', unit: 'LS' }, { class: 'PCC', unit: 'IF' }, 1n, 'bank 1');
  expect(comparison.open).toEqual(['unit: LS, IF; 1 times, as LS against IF, status 0x0000000000000001, bank 1']);
  expect(comparison.idle).toEqual(RAS_JUDGED_AMD.filter(row => row !== RAS_JUDGED_AMD[0]));
});

test('each judgement names the document that decides', () => {
  for (const { why } of JUDGED) expect(why).toMatch(/SDM vol\. 3B|Linux prints it/);
  for (const { why } of RAS_JUDGED_INTEL) expect(why).toMatch(/SDM vol\. 3B/);
  for (const { why } of RAS_JUDGED_AMD) expect(why).toMatch(/APM vol\. 2|PPR/);
});

/** Where other decoders are known to be wrong, and what is right. */
import { expect, test } from 'vitest';
import { classify } from './classify.ts';
import { describeRecord, explain, lint, nextStep } from './of-record.ts';
import { component } from './testing/rules.ts';
import { decodeMcacod, isMemoryCode } from './mcacod.ts';
import { MCI_STATUS_INTEL } from './registers.ts';
import { severity } from './severity.ts';
import type { X86McaRecord } from './record.ts';

const intel = (status: bigint, more: Partial<X86McaRecord> = {}): X86McaRecord => ({
  kind: 'x86-mca',
  vendor: 'intel',
  cpu: 0,
  bank: 7,
  status,
  ...more,
});

test('the level of a code is LL, not LL + 1, and level 0 is the L1 (mcelog: 0x134 is "Level-1", LL=3 unknown)', () => {
  expect(decodeMcacod(0x0134).fields.LL).toBe('L0');
  expect(decodeMcacod(0x0134).text).toContain('level 0');
  expect(decodeMcacod(0x017b).fields.LL).toBe('LG');
  expect(component(intel(0xbd80000000000134n)).name).toBe('L1 data cache');
});

test('memory that serves as a cache counts as memory (mcelog leaves it out of the accounting)', () => {
  expect([0x0280, 0x02cf, 0x1291].map(code => isMemoryCode(decodeMcacod(code)))).toStrictEqual([true, true, true]);
  expect(component(intel(0x8c00000000000293n))).toMatchObject({ area: 'memory', channel: 3 });
});

test('an uncorrected error with PCC is fatal, not containable (rasdaemon)', () => {
  const amd: X86McaRecord = { kind: 'x86-mca', vendor: 'amd', bank: 5, status: 0xbe00000000000000n };
  expect([classify(amd), severity(amd)]).toStrictEqual(['PCC', 'fatal']);
  expect(explain(amd)).toMatch(/^Uncorrected and fatal/);
});

test('S and AR mean nothing beside PCC (mcelog printed SRAR for it until 2025)', () => {
  const record = intel(0xbf80000000000134n, { addr: 0n, misc: 0x8cn });
  expect(classify(record)).toBe('PCC');
  expect(explain(record)).not.toMatch(/SRAR|action required/);
  expect(lint(record).map(f => f.code)).toContain('L_MCA_PCC_WITH_S_AR');
});

test('an unknown IPID is unknown (rasdaemon reads an uninitialised bank type)', () => {
  const record: X86McaRecord = {
    kind: 'x86-mca',
    vendor: 'amd',
    bank: 3,
    status: 0x9c00000000000000n,
    ipid: 0xabcn << 32n,
  };
  expect(component(record)).toStrictEqual({
    area: 'unknown',
    name: 'unknown bank type (HwId 0xabc, McaType 0x0)',
    basis: 'MCA_IPID',
  });
});

test('a deferred error asks for action: the page holds bad data (kernel and rasdaemon: "no action required")', () => {
  const record: X86McaRecord = { kind: 'x86-mca', vendor: 'amd', bank: 17, status: 0x9c00100000000000n };
  expect(nextStep(record)[0]).toBe(
    'The page holds bad data that nobody used yet: take it out of use before it is consumed.',
  );
});

test('xen-mceinj: the code decides, not the label of the tool', () => {
  expect(decodeMcacod(0x017a).mnemonic).toBe('GCACHEL2_EVICT_ERR');
  expect(decodeMcacod(0x00cf).mnemonic).toBe('MS_CHANNELunspecified_ERR');
});

test('bank -1 is a firmware report, not a memory read (mcelog, EDAC)', () => {
  const record = intel(0xbd0000000000009fn, { bank: -1, addr: 0x1000n, misc: 0x8cn });
  expect(component(record)).toStrictEqual({
    area: 'memory',
    name: 'memory, as firmware reported it',
    basis: 'bank -1',
  });
  expect(lint(record).map(f => f.code)).toStrictEqual(['L_MCA_GHES_MADE']);
  expect(nextStep(record).at(-1)).toMatch(/firmware record \(CPER\)/);
});

test('S and AR are bits 56 and 55; 0x0090 is the memory controller (Windows bug check viewer)', () => {
  expect(MCI_STATUS_INTEL.encode({ S: true, AR: true })).toBe((1n << 56n) | (1n << 55n));
  expect(decodeMcacod(0x0090).class).toBe('memory-controller');
  expect(classify(intel(0xb800000000000000n))).toBe('UCNA');
});

test('an uncorrected memory controller error of Zen is memory even when the syndrome is 0 (amd-bmc-ras)', () => {
  const record: X86McaRecord = {
    kind: 'x86-mca',
    vendor: 'amd',
    bank: 20,
    status: 0xbc20000000000000n,
    ipid: 0x0000009600050f00n,
    synd: 0n,
  };
  expect(component(record)).toMatchObject({ area: 'memory', name: 'UMC channel 0, chip select 0' });
});

test('a processor signature is not needed to read the architecture (mcelog prints no decode without one)', () => {
  expect(explain(intel(0x8c00000000000091n))).toBe(
    'Corrected error: the hardware repaired it and no data was lost. ' +
      'Reported by bank 7 of CPU 0: an error of a memory read on channel 1, RD_CHANNEL1_ERR.',
  );
});

test('u64 values stay exact', () => {
  const status = 0xbd8000000000ffffn;
  expect(describeRecord(intel(status))[0]?.value).toBe(13654914070187409407n);
  expect(BigInt(Number(status))).not.toBe(status);
});

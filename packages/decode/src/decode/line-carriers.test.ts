/** One record of each family decodes to the same in whatever people carry the lines of a log. */
import { expect, it } from 'vitest';
import { stringify } from '../common/hex.ts';
import { decode } from './decoder.ts';
import { toData } from './record.ts';
import { LINE_CARRIERS } from './testing/line-carriers.ts';

const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  'machine check': [
    '[ 1234.567890] mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank 9: 8c00004000010091',
    '[ 1234.567891] mce: [Hardware Error]: TSC 0 ADDR 12345f000 MISC 200001c020002086 ',
    '[ 1234.567892] mce: [Hardware Error]: PROCESSOR 0:50654 TIME 1795167593 SOCKET 0 APIC 4 microcode 2006e05',
  ],
  "AMD's decoder": [
    '[ 1234.567890] [Hardware Error]: Corrected error, no action required.',
    '[ 1234.567891] [Hardware Error]: CPU:2 (17:71:0) MC17_STATUS[Over|CE|MiscV|AddrV|-|-|SyndV|CECC|-|-|-]: 0xdc2040000400011b',
    '[ 1234.567892] [Hardware Error]: Error Addr: 0x000000031f70c400',
    '[ 1234.567893] [Hardware Error]: IPID: 0x0000009600150f00, Syndrome: 0x00000c000a800e01',
    '[ 1234.567894] [Hardware Error]: Unified Memory Controller Ext. Error Code: 0, DRAM ECC error.',
    '[ 1234.567895] [Hardware Error]: cache level: L3/GEN, tx: GEN, mem-tx: RD',
  ],
  'firmware report': [
    '[ 1234.567890] {1}[Hardware Error]: Hardware error from APEI Generic Hardware Error Source: 4',
    '[ 1234.567892] {1}[Hardware Error]: event severity: corrected',
    '[ 1234.567893] {1}[Hardware Error]:  Error 0, type: corrected',
    '[ 1234.567894] {1}[Hardware Error]:   section_type: memory error',
    '[ 1234.567895] {1}[Hardware Error]:   physical_address: 0x0000006a47d1f540',
    '[ 1234.567896] {1}[Hardware Error]:   node:6 card:1 module:0 rank:1 bank:2 device:11 row:40948 column:560',
    '[ 1234.567897] {1}[Hardware Error]:   error_type: 2, single-bit ECC',
  ],
  'bad page': ['[ 1234.567890] Memory failure: 0x91ee: recovery action for dirty LRU page: Recovered'],
  EDAC: [
    '[ 1234.567890] EDAC MC0: 1 CE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0 (channel:1 slot:0 page:0x12345 offset:0x340 grain:32 syndrome:0x0)',
  ],
  PCIe: [
    '[ 1234.567890] pcieport 0000:00:1c.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)',
    '[ 1234.567891] pcieport 0000:00:1c.0:   device [8086:a110] error status/mask=00000001/00002000',
    '[ 1234.567892] pcieport 0000:00:1c.0:    [ 0] RxErr',
  ],
  arm64: [
    '[ 1234.567890] Internal error: synchronous external abort: 0000000096000410 [#1] SMP',
    '[ 1234.567891] CPU: 3 PID: 1 Comm: x Not tainted',
  ],
  POWER: [
    '[  471.959843] MCE: CPU80: machine check (Warning) Host SLB Multihit [Recovered]',
    '[  471.959870] MCE: CPU80: NIP: [d00000000b550280] insert_slb_entry.constprop.0+0x278/0x2c0 [mcetest_slb]',
  ],
  Xen: [
    '(XEN) [2025-01-01 00:00:00] CPU0: Machine Check Exception: 0000000000000004',
    '(XEN) Bank 4: b200000000070f0f',
  ],
  'ras-mc-ctl': [
    '1 2024-12-19 03:52:38 +0000 error: Corrected error, no action required., CPU 2, bank Unified Memory Controller (bank=17), mcg mcgstatus=0, mci CECC, memory_channel=0,csrow=1, mcgcap=0x0000011c, status=0x9c2040000000011b, addr=0x319deb440, misc=0xd01b0fff01000000, walltime=0x67639886, cpuid=0x00870f10, bank=0x00000011',
  ],
  mcelog: [
    'Hardware event. This is not a software error.',
    'MCE 0',
    'CPU 0 BANK 11 ',
    'MISC 229aa040900086 ADDR fffc4b00 ',
    'TIME 1458750006 Wed Mar 23 12:20:06 2016',
    'STATUS ae2000000003110a MCGSTATUS 0',
    'MCGCAP 6000c14 APICID 0 SOCKETID 0 ',
    'CPUID Vendor Intel Family 6 Model 85',
  ],
  ESXi: [
    '2024-05-16T08:20:01.252Z cpu56:40848027)MCA: 200: CE Poll G0 B7 S8c00004000010091 A2f0a1c4c0 M200001c020002086 P2f0a1c4c0/40 Memory Controller Read Error on Channel 1.',
  ],
  'event log of a controller': [
    '   2 | 05/14/2026 | 20:42:44 | Processor #0x40 | Uncorrectable machine check exception | Asserted',
  ],
  'management log of HPE': [
    "Uncorrectable Machine Check Exception (Processor 1, APIC ID 0x00000000, Bank 0x00000006, Status 0xBA000000'00000E0B, Address 0x00000000'00000000, Misc 0x00000000'4D380000).",
  ],
  Dell: ['2017-03-07 23:08:02 MEM0702 Correctable memory error rate exceeded for DIMM_A3.'],
  QEMU: [
    'qemu-system-x86_64: warning: Guest MCE Memory Error at QEMU addr 0x7f1234567000 and GUEST addr 0x5000 of type BUS_MCEERR_AR injected',
  ],
};

/** Everything but where and when. */
const said = (input: Uint8Array | string): string[] =>
  decode(input).records.map(record =>
    stringify({ ...toData(record), source: undefined, time: undefined, raw: undefined }),
  );

it.each(Object.entries(LINE_CARRIERS))('%s', (_name, carry) => {
  for (const [family, lines] of Object.entries(FAMILIES)) {
    const alone = said(`${lines.join('\n')}\n`);
    expect(alone.length, family).toBeGreaterThan(0);
    expect(said(carry(lines)), family).toEqual(alone);
  }
});

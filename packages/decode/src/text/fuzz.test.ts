import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernelTraceEvents, linuxEvents, qemuEvents, xenEvents, type EventReader } from './event-reader.ts';
import { hmpOutputEvents } from './qemu/messages.ts';
import { MAX_LINE } from './transport/line.ts';

const PARSERS: readonly (readonly [string, () => EventReader])[] = [
  ['linux', linuxEvents],
  ['xen', xenEvents],
  ['qemu', qemuEvents],
  ['trace', kernelTraceEvents],
];

/** Pieces of the messages the parsers know, so that random lines come near them. */
const PIECES = [
  '[    1.234567] ',
  '[    1.234567][    C0] ',
  '(XEN) ',
  '{1}',
  'mce: ',
  '[Hardware Error]: ',
  'CPU 0: Machine Check Exception: 5 Bank 9: bd000000000000c0',
  'CPU0: Machine Check Exception:                5',
  'Bank 1: b200000000000000[              8c] at         12345000',
  'TSC 2f40aa78e ADDR 91ee000 MISC 8c ',
  'PROCESSOR 0:50654 TIME 1795167593 SOCKET 0 APIC 0 microcode 1',
  'CPU:0 (17:1:2) MC9_STATUS[-|-|MiscV]: 0x9c00180000000000',
  'Memory failure: 0x91ee: ',
  'Sending SIGBUS to init:94 due to hardware memory corruption',
  'Panic on CPU 0:',
  'Kernel panic - not syncing: ',
  'Linux version 7.2.12',
  'Dec 22 08:20:00 host kernel: ',
  'qemu-system-x86_64: warning: ',
  'mce_record: CPU: 0, MCGc/s: f000c15/0, MC13: 8c00004200800090, ',
  'IPID: 0000000000000000, ADDR/MISC/SYND: 0000000123450000/08000a80c2982086/0, ',
  'PROCESSOR: 0:c06f1, TIME: 1689802780, SOCKET: 0, APIC: 0',
  'mc_event: 1 Corrected error: memory read error on DIMM_A1 (mc:0 location:1:0:-1 address:0x96236c6c0',
  'arm_event: affinity level: 0; MPIDR: 81080000; MIDR: 481fd010; running state: 1; PSCI state: 0',
  '; ARM Processor Err Info data len: 4; ARM Processor Err Info raw data: 00 20 1d 00',
  'non_standard_event: severity: 2; sec type:a5bc1114-6f64-4ede-b863-3e83ed7c83b1; FRU: a5bc1114-6f64-4ede-b863-3e83ed7c83b1 x; ',
  'data len:8; raw data:03 00 00 00 01 02 03 04',
  'extlog_mem_event: {1} corrected error: unknown physical addr: 0000000012345680 (mask lsb: c) node: 1 ',
  'aer_event: 0000:03:00.0 PCIe Bus Error: severity=Fatal, ',
  'cxl_dram: memdev=mem3 host=0000:0f:00.0 serial=3 log=Fatal : dpa=18680 channel=3 row=2 ',
  '\r\n',
  '\u001b[31m',
];
const line = fc.oneof(
  fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 20 })), { maxLength: 6 }).map(p => p.join('')),
  fc.uint8Array({ maxLength: 300 }).map(b => String.fromCharCode(...b)),
  fc.string({ unit: 'binary', maxLength: 300 }),
);

describe.each(PARSERS)('%s parser', (_name, make) => {
  it('takes any lines: no exception, few events, bounded fields', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), lines => {
        const parser = make();
        const events = [...lines.flatMap(l => parser.push(l)), ...parser.end()];
        expect(events.length).toBeLessThanOrEqual(lines.length * 4 + 4);
        const values = events.flatMap(e => Object.values(e.fields));
        expect(values.filter(v => typeof v === 'string' && v.length > 512)).toEqual([]);
        expect(values.filter(v => typeof v === 'number' && !Number.isSafeInteger(v))).toEqual([]);
        expect(parser.end()).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  // With a pattern that backtracks each of these would take minutes: the test's own deadline is the assertion.
  it('takes hostile lines of a megabyte', () => {
    const parser = make();
    for (const unit of ['[', ' ', '0', 'a:', '[ ', '(XEN) ', '[Hardware Error]: ', '|', 'CPU 1: ', '\u001b[0']) {
      expect(parser.push(unit.repeat(Math.ceil((1 << 20) / unit.length))).length).toBeLessThanOrEqual(1);
      expect(parser.push(`mce: [Hardware Error]: TSC 0 ${unit.repeat(MAX_LINE)}`).length).toBeLessThanOrEqual(1);
    }
  });

  it('keeps a bounded number of open blocks', () => {
    const parser = make();
    let records = 0;
    for (let i = 0; i < 3000; i++) {
      const text = `[    1.000000][    T${i}] mce: [Hardware Error]: CPU 1: Machine Check: 0 Bank 9: 9c000000000000c0`;
      records += parser.push(text).filter(e => e.name === 'guest.mce-record').length;
    }
    const rest = parser.end().filter(e => e.name === 'guest.mce-record').length;
    expect(rest).toBeLessThanOrEqual(256);
    expect([0, 3000]).toContain(records + rest);
  });
});

describe('hmpOutputEvents', () => {
  it('finds messages that QEMU printed without line ends', () => {
    const text =
      'CPU 0: MCE capability is not enabled, raising triple faultCPU 12: MCE capability is not enabled, raising triple fault';
    expect(hmpOutputEvents(text)).toEqual([
      { name: 'vmm.triple-fault', fields: { cpu: 0, reason: 'mce-not-enabled' } },
      { name: 'vmm.triple-fault', fields: { cpu: 12, reason: 'mce-not-enabled' } },
    ]);
    expect(hmpOutputEvents('CPU 0: Previous MCE still in progress, raising triple fault')).toEqual([
      { name: 'vmm.triple-fault', fields: { cpu: 0, reason: 'mcip-set' } },
    ]);
  });

  it('tells refusals and other answers apart', () => {
    expect(hmpOutputEvents('')).toEqual([]);
    expect(hmpOutputEvents('Invalid MCE bank number\r\n')).toEqual([
      { name: 'vmm.mce-rejected', fields: { reason: 'Invalid MCE bank number' } },
    ]);
    expect(hmpOutputEvents('CPU 3: Uncorrected error reporting disabled for bank 9\n')).toEqual([
      { name: 'vmm.mce-rejected', fields: { cpu: 3, bank: 9, reason: 'Uncorrected error reporting disabled' } },
    ]);
    expect(hmpOutputEvents('unexpected end of expression\r\nTry "help mce" for more information\r\n')).toEqual([
      { name: 'vmm.message', fields: { severity: 'monitor', message: 'unexpected end of expression' } },
      { name: 'vmm.message', fields: { severity: 'monitor', message: 'Try "help mce" for more information' } },
    ]);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), text => {
        expect(Array.isArray(hmpOutputEvents(text))).toBe(true);
      }),
    );
  });
});

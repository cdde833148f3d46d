import { expect, test } from 'vitest';
import type { TraceEvent } from '../event.ts';
import { parseEvent } from '../testing/parse.ts';
import { causesOf } from './causes.ts';

const parsed = (lines: readonly string[]): TraceEvent[] => lines.flatMap(line => parseEvent(line) ?? []);

/** What a QEMU 7.2.22 in an emulated AMD host gave a guest of Linux 7.3.4, of a trace of `matrix amd-deferred --host-qemu 7.2`. */
const INTEL_ON_AMD = [
  String.raw`{"seq":3919,"t":100199903673,"layer":"vmm","source":"stderr","raw":"qemu: warning: Guest MCE Memory Error at QEMU addr 0x7fbc273e4000 and GUEST addr 0xb5e4000 of type BUS_MCEERR_AO injected","name":"vmm.sigbus-injected","fields":{"hva":"0x00007fbc273e4000","gpa":"0x000000000b5e4000","code":"BUS_MCEERR_AO"}}`,
  String.raw`{"seq":3927,"t":100239014639,"layer":"guest","source":"console","raw":"[   26.526119] mce: [Hardware Error]: PROCESSOR 2:800f12 TIME 1796066380 SOCKET 0 APIC 0 microcode 1000065","name":"guest.mce-record","fields":{"bank":9,"status":"0xbd000000000000c0","class":"UC","exception":true,"complete":true,"cpu":0,"mcgStatus":"0x0000000000000005","addr":"0x000000000b5e4000","misc":"0x000000000000008c"},"record":{"kind":"x86-mca","cpu":0,"bank":9,"status":"0xbd000000000000c0","mcgStatus":"0x0000000000000005","cs":"0x0000000000000010","rip":"0xffffffffa7f167b4","tsc":"0x0000001b85ba5108","addr":"0x000000000b5e4000","misc":"0x000000000000008c","vendor":"amd","cpuid":"0x0000000000800f12","time":"0x000000006b0dcc4c","socket":0,"apicId":"0x0000000000000000","microcode":"0x0000000001000065","origin":{"source":"console","firstLine":357,"lastLine":360}}}`,
  String.raw`{"seq":3929,"t":100239428141,"layer":"guest","source":"console","raw":"[   26.528481] Kernel panic - not syncing: Fatal local machine check","name":"guest.panic","fields":{"message":"Fatal local machine check"}}`,
];

test('a guest on AMD that panics of a record for Intel shows the QEMU before 9.1', () => {
  const events = parsed(INTEL_ON_AMD);
  expect(events).toHaveLength(3);
  expect(causesOf(events)).toMatchObject([
    { id: 'qemu-amd-guest-intel-record', history: expect.stringContaining('before 9.1') as string },
  ]);
});

test.each([
  ['it lives', 2, /./, ''],
  ['the record was given to QEMU by somebody', 0, /./, ''],
  ['it is on Intel', 1, /"vendor":"amd"/, '"vendor":"intel"'],
  ["the record is AMD's", 1, /0xbd000000000000c0/g, '0x9c00180000000000'],
])('it does not where %s', (_what, line, from, to) => {
  const lines = INTEL_ON_AMD.map((text, i) => (i === line ? text.replace(from, to) : text));
  expect(causesOf(parsed(lines))).toEqual([]);
});

/** Registers in the forms of other systems and of controllers: what each prints of any bank is read back as it was. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hex64 } from '../common/hex.ts';
import type { X86McaRecord } from '../mca/record.ts';
import { highHalf, lowHalf } from '../registers/field.ts';
import type { TextItem } from './item.ts';
import { LogContext } from './log-context.ts';
import { LogReader } from './log-reader.ts';

const u64 = fc.bigInt({ min: 1n, max: (1n << 64n) - 1n });
const bank = fc.record({
  bank: fc.nat(31),
  cpu: fc.nat(999),
  status: u64,
  addr: u64,
  misc: u64,
  mcgStatus: fc.bigInt({ min: 0n, max: 15n }),
});
type Bank = typeof bank extends fc.Arbitrary<infer T> ? T : never;

function read(lines: readonly string[]): TextItem[] {
  const items: TextItem[] = [];
  const log = new LogContext(item => items.push(item), 'test');
  lines.forEach((line, i) => log.line(line, i + 1));
  log.end();
  return items;
}

const hex = (value: bigint): string => value.toString(16);
const halves = (value: bigint): string => hex64(value).replace(/(.{8})$/, "'$1");
const sixteen = (value: bigint): string => hex(value).padStart(16, '0');
const half = (value: number): string => value.toString(16).padStart(16, '0');

/** How each writes a bank, and which members it writes. */
const FORMS: readonly [name: string, write: (b: Bank) => string[], members: readonly (keyof X86McaRecord)[]][] = [
  [
    'ESXi 7',
    b => [
      `2024-07-02T10:11:12.114Z cpu${b.cpu}:2101234)MCA: 200: UC Excp G${hex(b.mcgStatus)} B${b.bank} S${hex(b.status)} A${hex(b.addr)} M${hex(b.misc)} P${hex(b.addr)}/40 Memory Controller Error.`,
    ],
    ['bank', 'cpu', 'status', 'addr', 'misc', 'mcgStatus'],
  ],
  [
    'ESXi 6.0',
    b => [`MC:PCPU${b.cpu} B:${b.bank} S:0x${hex(b.status)} M:0x${hex(b.misc)} A:0x${hex(b.addr)} ${hex(b.mcgStatus)}`],
    ['bank', 'cpu', 'status', 'addr', 'misc', 'mcgStatus'],
  ],
  [
    'ESXi 4',
    b => [
      `cpu1:4108)MCE: 1282: Machine Check Global status on cpu${b.cpu}: 0x${hex(b.mcgStatus)} (cputype:4): Restart IP valid.`,
      `cpu1:4108)MCE: 1295: MCE on cpu${b.cpu} bank${b.bank}: Status:0x${hex(b.status)} Misc:0x${hex(b.misc)} Addr:0x${hex(b.addr)}: ECC error.`,
    ],
    ['bank', 'cpu', 'status', 'addr', 'misc', 'mcgStatus'],
  ],
  [
    'FreeBSD',
    b => [
      `MCA: Bank ${b.bank}, Status ${hex64(b.status)}`,
      `MCA: Global Cap 0x0000000000000106, Status ${hex64(b.mcgStatus)}`,
      'MCA: Vendor "AuthenticAMD", ID 0x730f01, APIC ID 0',
      `MCA: CPU ${b.cpu} COR ICACHE L1 IRD error`,
      `MCA: Address 0x${hex(b.addr)}`,
      `MCA: Misc 0x${hex(b.misc)}`,
    ],
    ['bank', 'cpu', 'status', 'addr', 'misc', 'mcgStatus'],
  ],
  [
    '!errrec',
    b => [
      'Section 2     : x86/x64 MCA',
      `Error         : BUSLG_GENERIC_ERR_*_TIMEOUT_ERR (Proc ${b.cpu} Bank ${b.bank})`,
      `  Status      : ${hex64(b.status)}`,
      `  Address     : ${hex64(b.addr)}`,
      `  Misc.       : ${hex64(b.misc)}`,
    ],
    ['bank', 'cpu', 'status', 'addr', 'misc'],
  ],
  [
    'bug check 9C',
    b => [
      `BugCheck 9C, {${hex(BigInt(b.bank))}, fffff88002f6ac70, ${hex(BigInt(highHalf(b.status)))}, ${hex(BigInt(lowHalf(b.status)))}}`,
    ],
    ['bank', 'status'],
  ],
  [
    '!analyze',
    b => [
      'WHEA_UNCORRECTABLE_ERROR (124)',
      'Arg1: 0000000000000000, MCA_ASSERT',
      'Arg2: fffffa8008045c6e, Address of WHEA_ERROR_RECORD structure',
      `Arg3: ${half(highHalf(b.status))}, High 32 bits of MCi_STATUS MSR`,
      `Arg4: ${half(lowHalf(b.status))}, Low 32 bits of MCi_STATUS MSR`,
    ],
    ['status'],
  ],
  [
    'event XML',
    b => [
      `<EventData><Data Name='ErrorSource'>1</Data><Data Name='ApicId'>0</Data><Data Name='MCABank'>${b.bank}</Data><Data Name='MciStat'>0x${hex(b.status)}</Data>`,
      `<Data Name="MciAddr">0x${hex(b.addr)}</Data><Data Name="MciMisc">0x${hex(b.misc)}</Data></EventData>`,
    ],
    ['bank', 'status', 'addr', 'misc'],
  ],
  [
    'macOS',
    b => [
      'Machine-check capabilities: 0x0000000000000c09',
      ' family: 6 model: 142 stepping: 9 microcode: 240',
      ' signature: 0x806e9',
      ` 9 error-reporting banks`,
      `Processor ${b.cpu}: IA32_MCG_STATUS: ${hex64(b.mcgStatus)}`,
      ` IA32_MC${b.bank}_STATUS(0x419): ${hex64(b.status)}`,
      ` IA32_MC${b.bank}_ADDR(0x41a):   ${hex64(b.addr)}`,
      ` IA32_MC${b.bank}_MISC(0x41b):   ${hex64(b.misc)}`,
    ],
    ['bank', 'cpu', 'status', 'addr', 'misc', 'mcgStatus'],
  ],
  [
    'fmdump -eV',
    b => [
      '        class = ereport.cpu.generic-x86.mem_ce',
      `        IA32_MCG_STATUS = 0x${hex(b.mcgStatus)}`,
      `        bank_number = 0x${hex(BigInt(b.bank))}`,
      `        IA32_MCi_STATUS = 0x${hex(b.status)}`,
      `        IA32_MCi_ADDR = 0x${hex(b.addr)}`,
      `        IA32_MCi_MISC = 0x${hex(b.misc)}`,
      '        __tod = 0x4d6f1122 0x75bcd15',
    ],
    ['bank', 'status', 'addr', 'misc', 'mcgStatus'],
  ],
  [
    'BlueScreenView',
    b => [
      'Bug Check Code    : 0x0000009c',
      `Parameter 1       : 00000000\`${hex(BigInt(b.bank)).padStart(8, '0')}`,
      'Parameter 2       : fffff880`02f6ac70',
      `Parameter 3       : 00000000\`${hex(BigInt(highHalf(b.status))).padStart(8, '0')}`,
      `Parameter 4       : 00000000\`${hex(BigInt(lowHalf(b.status))).padStart(8, '0')}`,
    ],
    ['bank', 'status'],
  ],
  [
    "Kernel-Power's event",
    b => [
      '  <Data Name="BugcheckCode">292</Data>',
      '  <Data Name="BugcheckParameter1">0x0</Data>',
      '  <Data Name="BugcheckParameter2">0xffffe28da3a90028</Data>',
      `  <Data Name="BugcheckParameter3">0x${hex(BigInt(highHalf(b.status)))}</Data>`,
      `  <Data Name="BugcheckParameter4">0x${hex(BigInt(lowHalf(b.status)))}</Data>`,
    ],
    ['status'],
  ],
  [
    'HPE IML',
    b => [
      `Uncorrectable Machine Check Exception (Board 0, Processor 2, APIC ID 0x00000040, Bank 0x${half(b.bank).slice(8)}, Status ${halves(b.status)}, Address ${halves(b.addr)}, Misc ${halves(b.misc)})`,
    ],
    ['bank', 'status', 'addr', 'misc'],
  ],
];

const pick = (b: Partial<Record<keyof X86McaRecord, unknown>>, members: readonly (keyof X86McaRecord)[]): unknown[] =>
  members.map(name => b[name]);

describe.each(FORMS)('a bank in the form of %s', (_name, write, members) => {
  it('is read as it was, one record of all its lines', () => {
    fc.assert(
      fc.property(bank, b => {
        const items = read(write(b));
        expect(items.map(i => i.type)).toEqual(['mca']);
        const [item] = items;
        expect(item?.type === 'mca' ? pick(item.record, members) : []).toEqual(pick(b, members));
      }),
    );
  });

  it('is read between two others, whatever line of it is missing', () => {
    fc.assert(
      fc.property(bank, bank, fc.nat(9), (a, b, cut) => {
        const lines = write(b).filter((_, i) => i !== cut % 8);
        const items = read([...write(a), ...lines, ...write(a)]);
        for (const item of items) {
          expect(item.firstLine).toBeLessThanOrEqual(item.lastLine);
          // A register of one bank must not get into another.
          if (item.type !== 'mca' || item.record.addr === undefined) continue;
          expect([a.addr, b.addr]).toContain(item.record.addr);
        }
      }),
    );
  });
});

const ADDRV = 1n << 58n;
const MISCV = 1n << 59n;

/** What Linux's trace event prints has all that the forms of other systems have. */
const TRACE: (typeof FORMS)[number] = [
  'mce_record',
  b => [
    `  <idle>-0  [000] d.h1. 44.000000: mce_record: CPU: ${b.cpu}, MCGc/s: f000c15/${hex(b.mcgStatus)}, MC${b.bank}: ${sixteen(b.status)}, ADDR/MISC/SYND: ${sixteen(b.addr)}/${sixteen(b.misc)}/${sixteen(0n)}, RIP: 00:<0000000000000000>, TSC: 0, PROCESSOR: 0:50654, TIME: 1, SOCKET: 0, APIC: 0`,
  ],
  ['bank', 'status', 'addr', 'misc'],
];

/** The others print only what is valid. */
const PRINT_ALL: ReadonlySet<string> = new Set(['ESXi 7', 'ESXi 6.0', 'ESXi 4', 'event XML', 'HPE IML']);

describe.each([...FORMS.filter(([name]) => PRINT_ALL.has(name)), TRACE])(
  'a register that is printed as 0 in the form of %s',
  (_name, write) => {
    it.each([
      ['ADDRV', ADDRV, { addr: 0n, misc: undefined }],
      ['MISCV', MISCV, { addr: undefined, misc: 0n }],
      ['neither', 0n, { addr: undefined, misc: undefined }],
    ])('is one where STATUS says so: %s', (_valid, bits, expected) => {
      const status = (1n << 63n) | bits | 0x90n;
      const [item] = read(write({ bank: 7, cpu: 1, status, addr: 0n, misc: 0n, mcgStatus: 0n }));
      expect(item?.type === 'mca' ? pick(item.record, ['status', 'addr', 'misc']) : item).toEqual([
        status,
        expected.addr,
        expected.misc,
      ]);
    });
  },
);

it('MCG_STATUS of ESXi 4 is that of the banks right behind it, and of no later ones', () => {
  const global = 'cpu1:4108)MCE: 1282: Machine Check Global status on cpu1: 0x5 (cputype:4): Restart IP valid.';
  const line = 'cpu1:4108)MCE: 1295: MCE on cpu1 bank4: Status:0xb200000000000135 Misc:0x0 Addr:0x0: ECC error.';
  const other = 'cpu1:4108)NMI: 100: nothing of an error';
  const mcg = (lines: readonly string[]): unknown[] =>
    read(lines).map(i => (i.type === 'mca' ? i.record.mcgStatus : i.type));
  expect(mcg([global, line, other, line.replace('bank4', 'bank5')])).toEqual([5n, 5n]);
  expect(mcg([global, ...Array.from({ length: 40 }, () => other), line])).toEqual([undefined]);
});

it('a bank that stopped the machine is one record in both forms of ESXi 4 and on the screen, with the processor of its log', () => {
  const form = 'cpu1:4108)MC:PCPU1 B:4 S:0xb200000000000135 M:0x0 A:0x0 5';
  const global =
    'cpu1:4108)MCE: 1282: Machine Check Global status on cpu1: 0x5 (cputype:4 16 9 1 AMD Opteron): Restart';
  const line = 'cpu1:4108)MCE: 1295: MCE on cpu1 bank4: Status:0xb200000000000135 Misc:0x0 Addr:0x0: ECC error.';
  const seen = (lines: readonly string[]): unknown[] =>
    read(lines).map(i => (i.type === 'mca' ? [i.record.cpu, i.record.bank, i.record.cpuid, i.lastLine] : i.type));
  expect(seen([form, global, line, form])).toEqual([[1, 4, 0x100f91n, 4]]);
  expect(seen([form, form.replace('PCPU1', 'PCPU2'), form.replace('B:4', 'B:5')])).toHaveLength(3);
  const corrected = line.replace('0xb2', '0x90');
  expect(seen([corrected, corrected])).toHaveLength(2);
});

it('records of a log stand in the order of their first lines, also around a block of the SEL', () => {
  const block = [
    'SEL Record ID          : 0001',
    ' Timestamp             : 03/11/2020 02:11:09',
    ' Sensor Type           : Memory',
    'mce: [Hardware Error]: Machine check events logged',
    ' Event Direction       : Assertion Event',
    ' Description           : Uncorrectable ECC',
  ];
  const items: TextItem[] = [];
  const log = new LogReader(item => items.push(item), 'test');
  block.forEach((text, i) => {
    const bytes = new TextEncoder().encode(text);
    log.line(bytes, 0, bytes.length, i + 1, 0);
  });
  log.end();
  expect(items.map(i => (i.type === 'event' ? i.name : i.type))).toEqual(['bmc-memory-uncorrected', 'mce-logged']);
});

describe('IPMI', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '|', ',', '(', ')', ' ', '"', '0'), maxLength: 20 });

  it('rows with anything behind the event are one event each, and deasserted ones none', () => {
    fc.assert(
      fc.property(cell, fc.boolean(), (text, asserted) => {
        const row = `  1f | 03/11/2020 | 02:11:09 | Memory #0x10 | Uncorrectable ECC${text.replaceAll('|', ' ')} | ${asserted ? 'Asserted' : 'Deasserted'}`;
        const names = read([row]).map(i => (i.type === 'event' ? i.name : i.type));
        expect(names).toEqual(asserted ? ['bmc-memory-uncorrected'] : []);
      }),
    );
  });
});

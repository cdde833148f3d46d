import fc from 'fast-check';
import { OWN } from './monitor.ts';
import { describe, expect, test } from 'vitest';
import { hex64, parseU64, stringify } from '../common/hex.ts';
import { CPER_SEVERITIES, decodeGhesBlock } from '../cper/ghes.ts';
import { NAMED_MCA, namedMca } from '../mca/named.ts';
import { MCI_STATUS_AMD, MCI_STATUS_INTEL } from '../mca/registers.ts';
import { dangersOf } from '../outlook/danger.ts';
import { cxlCommand } from './cxl.ts';
import { ghesBlock, ghesInjection } from './ghes.ts';
import { CXL_EVENTS, CXL_LOGS } from '../registers/cxl-reports.ts';
import type { Injection, Mce } from './injection.ts';
import { ipidOfType, machineCheck, statusOfWords } from './machine-check.ts';
import { isMce, mceCommandLine } from './mce-command.ts';
import { goesToAll, mceInjection, mceOfRecord } from './mce.ts';
import { dangersOfInjection, seenRecord } from './outcome.ts';
import { commandOf, fieldsOf, injectionOf, recordOf, wordsOf } from './ways.ts';

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,14}$/);
const mce = fc.record({
  cpu: fc.integer({ min: 0, max: 255 }),
  bank: fc.integer({ min: 0, max: 255 }),
  status: u64,
  mcgStatus: u64,
  addr: u64,
  misc: u64,
  broadcast: fc.boolean(),
  named: fc.constantFrom(undefined, ...NAMED_MCA),
});

const injection: fc.Arbitrary<Injection> = fc.oneof(
  mce.map(mceInjection),
  fc
    .tuple(fc.constantFrom(...CPER_SEVERITIES), u64, fc.integer({ min: 0, max: 15 }))
    .map(([severity, addr, type]) => ghesInjection(severity, addr, type)),
  fc.record({ way: fc.constantFrom('corrupt-pfn' as const, 'soft-offline' as const), addr: u64 }),
  fc.record({
    way: fc.constantFrom('madvise' as const, 'madvise-soft-offline' as const),
    process: name,
    page: name,
  }),
  fc.record({ way: fc.constant('stage-2-walk' as const), addr: u64 }),
  fc.record({ way: fc.constantFrom(...OWN), command: fc.string() }),
  fc.record({
    way: fc.constant('xen-mceinj' as const),
    domain: fc.integer({ min: 0, max: 32767 }),
    addr: u64,
    cpu: fc.integer({ min: 0, max: 255 }),
    type: fc.integer({ min: 0, max: 4 }),
  }),
  fc.record(
    {
      way: fc.constant('cxl' as const),
      event: fc.constantFrom(...CXL_EVENTS),
      path: fc.constant('/machine/peripheral/cxl-mem0'),
      log: fc.constantFrom(...CXL_LOGS),
      dpa: u64,
      error: fc.constantFrom('mem-data-ecc', 'retry-threshold'),
    },
    { requiredKeys: ['way', 'event', 'path'] },
  ),
);

describe('any injection', () => {
  test('comes back from the fields of its event, of a run and of a file', () => {
    fc.assert(
      fc.property(injection, given => {
        const fields = fieldsOf(given);
        expect(injectionOf(fields)).toEqual(given);
        expect(injectionOf(JSON.parse(stringify(fields)) as typeof fields)).toEqual(given);
      }),
    );
  });

  test('says what it does in one line', () => {
    fc.assert(
      fc.property(injection, given => {
        const words = wordsOf(given);
        expect(words === undefined).toBe((OWN as readonly string[]).includes(given.way));
        expect(words ?? '').not.toMatch(/[\0-\x1f]|undefined/);
      }),
    );
  });

  test.each<[string, object]>([
    ['nothing', {}],
    ['no way', { kind: 'wish', addr: 1n }],
    ['no registers', { kind: 'mce', cpu: 0, bank: 9 }],
    ['a register that is text', { ...fieldsOf(mceInjection({ status: 1n })), addr: 'here' }],
    ['a register of 65 bits', { ...fieldsOf(mceInjection({ status: 1n })), misc: 1n << 64n }],
    ['a CPU that is none', { ...fieldsOf(mceInjection({ status: 1n })), cpu: 0.5 }],
    ['a name that may carry an escape', { kind: 'madvise', process: '\u001b[2J', page: 'page' }],
    ['a severity of nobody', { kind: 'ghes', severity: 'bad', addr: 1n, errorType: 3 }],
  ])('is not read out of fields with %s', (_what, fields) => {
    expect(injectionOf(fields as Record<string, string>)).toBeUndefined();
  });
});

describe('a machine check', () => {
  const srao = { cpu: 0, bank: 9, status: 0xbd000000000000c0n, mcgStatus: 5n, addr: 0x1000n, misc: 0x8cn };

  test('is the command that the monitor takes', () => {
    expect(mceCommandLine(srao)).toBe('mce 0 9 0xbd000000000000c0 0x5 0x1000 0x8c');
    const named = mceInjection({ named: namedMca('srao'), addr: 0x1000n, broadcast: true });
    expect(commandOf(named)).toBe('mce -b 0 9 0xbd000000000000c0 0x5 0x1000 0x8c');
    expect([' mce 0 0 0 0 0 0', 'mcelog', 'info mice'].map(isMce)).toEqual([true, false, false]);
  });

  test('carries every u64 exactly', () => {
    fc.assert(
      fc.property(u64, u64, u64, u64, (status, mcgStatus, addr, misc) => {
        const words = mceCommandLine({ cpu: 1, bank: 2, status, mcgStatus, addr, misc }).split(' ');
        expect(words.slice(3).map(parseU64)).toEqual([status, mcgStatus, addr, misc]);
      }),
    );
  });

  test.each<Partial<Mce>>([
    { cpu: -1 },
    { cpu: 0.5 },
    { bank: 2 ** 31 },
    { bank: Number.NaN },
    { status: -1n },
    { addr: 1n << 64n },
  ])('%o has no command', wrong => {
    expect(() => mceCommandLine({ ...srao, ...wrong })).toThrow(/^mce: /);
  });

  test('takes from a named record what is not chosen', () => {
    const named = namedMca('uc-fatal');
    expect(mceInjection({ named, addr: 0x1000n })).toMatchObject({ record: 'uc-fatal', bank: 1, addr: 0x1000n });
    expect(mceInjection({ named, bank: 4, misc: 0n })).toMatchObject({ bank: 4, misc: 0n, status: named?.status });
    expect(NAMED_MCA.filter(goesToAll).map(n => n.name)).toEqual(['srao']);
  });

  test('is seen as the outlook says that QEMU gives it', () => {
    const ce = mceInjection({ named: namedMca('ce'), addr: 0x1000n });
    expect(recordOf(ce)).toMatchObject({ kind: 'x86-mca', mcgStatus: 0n });
    // Linux reads MCG_STATUS itself: QEMU writes it for uncorrected errors only.
    expect(seenRecord(ce)).not.toHaveProperty('mcgStatus');
    const uc = mceInjection({ named: namedMca('uc-fatal') });
    expect(seenRecord(uc)).toMatchObject({ status: uc.status, mcgStatus: uc.mcgStatus, bank: 1 });
    expect(seenRecord(uc, { qemu: { cr4Mce: false } })).toBeUndefined();
  });

  test('is as dangerous as its record with what it settles itself', () => {
    const srar = mceInjection({ named: namedMca('srar-data'), addr: 0x1000n });
    const target = { guests: ['linux'] as const, vmm: { vendor: 'intel' as const, cpus: 2 } };
    const one = dangersOfInjection(srar, target);
    expect(one).toEqual(dangersOf(recordOf(srar) as never, { ...target, vmm: { ...target.vmm, broadcast: false } }));
    expect(one).not.toEqual(dangersOfInjection({ ...srar, broadcast: true }, target));
    expect(dangersOfInjection({ way: 'hmp', command: 'quit' })).toBeUndefined();
  });
});

describe('a machine check record', () => {
  test('is made of the words for its fields', () => {
    const made = statusOfWords(['val', 'uc', 'MCACOD=0x134', 'RIPV'], 'intel');
    expect(made).toEqual({ status: MCI_STATUS_INTEL.encode({ VAL: true, UC: true, MCACOD: 0x134n }), mcgStatus: 1n });
    expect(statusOfWords(['DEFERRED'], 'amd').status).toBe(MCI_STATUS_AMD.encode({ DEFERRED: true }));
    expect(() => statusOfWords(['DEFERRED'], 'intel')).toThrow('neither a named record nor a field');
    expect(() => statusOfWords(['MCACOD'], 'intel')).toThrow('neither a named record nor a field');
    expect(() => statusOfWords(['MCACOD=many'], 'intel')).toThrow('not a 64-bit value');
    expect(ipidOfType('umc')).toBe(0x0000_0096_0000_0000n);
    expect(ipidOfType('0x96')).toBeUndefined();
  });

  test('has the registers that are given, and says that they are valid', () => {
    const from = { status: MCI_STATUS_AMD.encode({ VAL: true }), mcgStatus: 0n };
    const plain = machineCheck({ vendor: 'amd', from });
    expect(plain).toEqual({ kind: 'x86-mca', vendor: 'amd', cpu: 0, bank: 9, ...from });
    const all = machineCheck({ vendor: 'amd', from, addr: 0x1000n, synd: 5n, ipid: 6n });
    expect(MCI_STATUS_AMD.decode(all.status)).toMatchObject({ ADDRV: true, MISCV: true, SYNDV: true });
    expect(all).toMatchObject({ addr: 0x1000n, misc: 0x8cn, synd: 5n, ipid: 6n });
    expect(machineCheck({ vendor: 'intel', from: namedMca('uc-fatal') as never, addr: 1n })).not.toHaveProperty('addr');
    expect(mceOfRecord(all)).toMatchObject({ way: 'mce', status: all.status, mcgStatus: 0n, addr: 0x1000n });
  });
});

test('a firmware record is the block that QEMU gets', () => {
  fc.assert(
    fc.property(fc.constantFrom(...CPER_SEVERITIES), u64, (severity, addr) => {
      const ghes = ghesInjection(severity, addr);
      const { cper } = (JSON.parse(commandOf(ghes) ?? '') as { arguments: { cper: string } }).arguments;
      const bytes = Uint8Array.from(atob(cper), c => c.charCodeAt(0));
      expect(bytes).toEqual(ghesBlock(ghes));
      expect(decodeGhesBlock(bytes)).toMatchObject({ value: recordOf(ghes), diagnostics: [] });
      expect(wordsOf(ghes)).toBe(
        `a ${severity} CPER memory section (multi-bit ECC) for ${hex64(addr)}, as firmware would report it`,
      );
    }),
  );
});

test('an event of a CXL device is a command of QMP', () => {
  const path = '/machine/peripheral/cxl-mem0';
  const poison = { way: 'cxl', event: 'poison', path, dpa: 0x400000n } as const;
  expect(commandOf(poison)).toBe(
    `{"execute":"cxl-inject-poison","arguments":{"path":"${path}","start":4194304,"length":64}}`,
  );
  expect(wordsOf(poison)).toBe(
    'an entry in the poison list of a CXL memory device at device address 0x0000000000400000',
  );
  const media = { way: 'cxl', event: 'general-media', path, log: 'fatal', dpa: 0n } as const;
  expect(cxlCommand(media).arguments).toMatchObject({ log: 'fatal', descriptor: 1, 'sub-type': 0 });
  expect(cxlCommand({ ...media, log: 'warning' }).arguments).toMatchObject({ descriptor: 0 });
  expect(seenRecord(media)).toBeUndefined();
  for (const wrong of [{ path: 'peripheral' }, { error: '\u001b[2J' }, { record: 'light' }]) {
    expect(injectionOf({ ...fieldsOf(media), ...wrong } as ReturnType<typeof fieldsOf>)).toBeUndefined();
  }
});

test('a page of the host is a line of shell, and a signal for its VMM', () => {
  const poison = { way: 'corrupt-pfn', addr: 0x5123_4000n, gpa: 0x1000n } as const;
  expect(commandOf(poison)).toBe('echo 0x51234 > /sys/kernel/debug/hwpoison/corrupt-pfn');
  expect(commandOf({ ...poison, way: 'soft-offline' })).toBe(
    'echo 0x51234000 > /sys/devices/system/memory/soft_offline_page',
  );
  expect(recordOf(poison)).toEqual({ kind: 'sigbus', code: 'BUS_MCEERR_AO', gpa: 0x1000n });
  const amd = { qemu: { vendor: 'amd', version: '11.1', platform: 'kvm' } } as const;
  expect(seenRecord(poison, amd)).toMatchObject({ status: namedMca('amd-deferred')?.status, addr: 0x1000n });
});

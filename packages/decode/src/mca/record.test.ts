import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classify } from './classify.ts';
import { explain, pageOf } from './of-record.ts';
import { MCG_CAP, MCG_STATUS, MCI_MISC, MCI_STATUS_AMD, MCI_STATUS_INTEL } from './registers.ts';
import { NAMED_MCA, namedMca } from './named.ts';
import type { X86McaRecord } from './record.ts';

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

function record(name: string, addr = 0x12345678n): X86McaRecord {
  const n = namedMca(name);
  if (n === undefined) throw new Error(`no record ${name}`);
  const { vendor, bank, status, mcgStatus, misc } = n;
  return { kind: 'x86-mca', vendor, cpu: 0, bank, status, mcgStatus, misc, addr };
}

describe('registers', () => {
  it.each([MCG_CAP, MCG_STATUS, MCI_STATUS_INTEL, MCI_STATUS_AMD, MCI_MISC])('$name is lossless', register => {
    fc.assert(
      fc.property(u64, v => {
        expect(register.encode(register.decode(v) as never)).toBe(v);
      }),
    );
  });

  it("reads QEMU's MCG_CAP: ten banks, MCG_CTL, software error recovery", () => {
    expect(MCG_CAP.decode(0x0100010an)).toMatchObject({ COUNT: 10n, CTL_P: true, SER_P: true, CMCI_P: false });
  });
});

describe('pageOf', () => {
  it('gives the page a virtual machine record names', () => {
    const page = { address: 0x12345000n, pfn: 0x12345n, lsb: 12, pages: 1n };
    expect(pageOf(record('srao'))).toEqual(page);
    expect(pageOf(record('amd-deferred', 0x12345000n))).toEqual({ ...page, lsb: 6, assumed: true });
  });

  it('takes the address of a firmware bank for the physical one that Linux wrote there', () => {
    const made: X86McaRecord = {
      kind: 'x86-mca',
      bank: 255,
      status: 0x9c0000000000009fn,
      addr: 0x123450040n,
      misc: 0x8cn,
    };
    const page = { address: 0x123450000n, pfn: 0x123450n, lsb: 12, pages: 1n };
    for (const bank of [255, -1]) {
      expect(pageOf({ ...made, bank })).toEqual(page);
      expect(pageOf({ ...made, bank, vendor: 'amd' })).toEqual(page);
    }
    // Older kernels give no MCi_MISC.
    const { misc: _, ...old } = made;
    expect(pageOf({ ...old, status: 0x940000000000009fn })).toEqual({
      ...page,
      address: 0x123450040n,
      lsb: 6,
      assumed: true,
    });
    expect(pageOf({ ...old, status: 0x900000000000009fn })).toBeUndefined();
    expect(pageOf({ ...made, bank: 7 })).toBeUndefined();
  });

  it('follows the granularity of MCi_MISC', () => {
    expect(pageOf({ ...record('srao'), misc: 0x95n })).toEqual({
      address: 0x12200000n,
      pfn: 0x12200n,
      lsb: 21,
      pages: 512n,
    });
    expect(pageOf({ ...record('srao'), misc: 0x86n })?.address).toBe(0x12345640n);
  });

  it('gives none where the address is not a usable physical one', () => {
    expect(pageOf({ ...record('srao'), misc: 0x4cn })).toBeUndefined();
    expect(pageOf({ ...record('srao'), status: 0xb9000000000000c0n })).toBeUndefined();
    expect(pageOf(record('uc-fatal'))).toBeUndefined();
    expect(pageOf({ ...record('amd-deferred'), status: 0x9c00100000000000n })).toBeUndefined();
    const { vendor: _v, ...unknown } = record('srao');
    expect(pageOf(unknown)).toBeUndefined();
    const { addr: _, ...without } = record('srao');
    expect(pageOf(without)).toBeUndefined();
  });
});

describe('explain', () => {
  it('says what an engineer would say', () => {
    expect(explain(record('srao'))).toBe(
      'Uncorrected, action optional (SRAO): bad memory was found, the running program did not consume it. ' +
        'Reported by bank 9 of CPU 0: an error of memory scrubbing on channel 0, MS_CHANNEL0_ERR, ' +
        'physical address 0x0000000012345000 (page frame 0x12345).',
    );
    expect(explain(record('uc-fatal'))).toBe(
      'Uncorrected and fatal: the processor context is corrupt (PCC), so nothing that ran can be trusted. ' +
        'Reported by bank 1 of CPU 0: without an error code. ' +
        'RIPV is clear: the interrupted program cannot be restarted.',
    );
    expect(explain(record('amd-deferred'))).toMatch(/real hardware never sets both/);
    expect(explain(record('amd-uc'))).toMatch(/poison consumed/);
    expect(explain({ kind: 'x86-mca', bank: 1, status: 0xa000000000000000n, vendor: 'intel' })).toMatch(/EN is clear/);
    expect(explain({ kind: 'x86-mca', bank: 1, status: 0xbd000000000000c0n })).toMatch(
      /vendor is not known. On Intel this is .*; on AMD /,
    );
    expect(explain({ kind: 'x86-mca', bank: 2, status: 0n })).toMatch(/^No error: .*\(bank 2\)\.$/);
  });

  it('never throws and stays on one line, for any registers', () => {
    fc.assert(
      fc.property(
        u64,
        u64,
        u64,
        u64,
        fc.constantFrom('intel', 'amd', undefined),
        (status, addr, misc, mcgStatus, v) => {
          const r: X86McaRecord = { kind: 'x86-mca', bank: 0, status, addr, misc, mcgStatus };
          if (v !== undefined) r.vendor = v;
          expect(explain(r)).toMatch(/^[A-Z][^\n]{10,800}\.$/);
        },
      ),
    );
  });
});

describe('NAMED_MCA', () => {
  it('holds each name once, and the class each name promises', () => {
    const classes = Object.fromEntries(NAMED_MCA.map(n => [n.name, classify(n)]));
    expect(classes).toEqual({
      ce: 'CE',
      srao: 'SRAO',
      'srar-data': 'SRAR',
      'srar-instr': 'SRAR',
      ucna: 'UCNA',
      'uc-fatal': 'PCC',
      'xen-note-ce': 'CE',
      'amd-deferred': 'Deferred',
      'amd-uc': 'UC',
    });
    expect(Object.keys(classes)).toHaveLength(NAMED_MCA.length);
  });

  it('knows a record in full words too, and no alias is the name of another', () => {
    expect(namedMca('srar-data-load')?.name).toBe('srar-data');
    expect(namedMca('srar-instruction-fetch')?.name).toBe('srar-instr');
    const words = NAMED_MCA.flatMap(n => (n.alias === undefined ? [n.name] : [n.name, n.alias]));
    expect(new Set(words).size).toBe(words.length);
  });

  it('asks for an address exactly where the status says that one is valid', () => {
    for (const n of NAMED_MCA)
      expect([n.name, n.needsAddress]).toEqual([n.name, MCI_STATUS_INTEL.decode(n.status).ADDRV]);
  });
});

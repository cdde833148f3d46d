/** What VMMs build is stated once: lint, names and outlook know each record by the same table. */
import { describe, expect, it } from 'vitest';
import { NAMED_ESR } from '../arm/encode.ts';
import { KVM_ABORT, QEMU_ABORT, isQemuAbort } from '../arm/vmm-made.ts';
import { lint } from '../mca/of-record.ts';
import { namedMca } from '../mca/named.ts';
import { MISC_PAGE, QEMU_BROADCAST_FILLER, QEMU_MCG_CAP, QEMU_SIGBUS, isBroadcastFiller } from '../mca/vmm-made.ts';
import { predict } from './predict.ts';

describe('what QEMU builds', () => {
  it('has the values that QEMU writes', () => {
    expect([MISC_PAGE, QEMU_MCG_CAP.ser, QEMU_MCG_CAP.noSer]).toEqual([0x8cn, 0x0100_010an, 0x10an]);
    expect(QEMU_BROADCAST_FILLER).toEqual({ bank: 1, status: 0xa000_0000_0000_0000n, mcgStatus: 5n });
    expect([KVM_ABORT, QEMU_ABORT]).toEqual([
      { user: 0x9200_0010n, kernel: 0x9600_0010n },
      { user: 0x9200_0410n, kernel: 0x9600_0410n },
    ]);
  });

  it.each([
    ['intel-required', 'srar-data', 'L_MCA_QEMU_SRAR'],
    ['intel-optional', 'srao', 'L_MCA_QEMU_SRAO'],
    ['amd-required', 'amd-uc', 'L_MCA_QEMU_AMD_AR'],
    ['amd-optional', 'amd-deferred', 'L_MCA_QEMU_AMD_AO'],
  ] as const)('%s is named %s, found by %s and predicted of the signal', (key, name, code) => {
    const made = QEMU_SIGBUS[key];
    expect(namedMca(name)).toMatchObject(made);
    expect(lint({ kind: 'x86-mca', ...made, addr: 0x1000n }).map(f => f.code)).toContain(code);
    const sigbus = { kind: 'sigbus', code: key.endsWith('required') ? 'BUS_MCEERR_AR' : 'BUS_MCEERR_AO' } as const;
    const context = { consumer: 'qemu', vendor: made.vendor, version: '11.1' } as const;
    const { handover } = predict({ ...sigbus, gpa: 0x1000n }, context);
    // A deferred error raises nothing, and MCG_STATUS stays as it was.
    const { mcgStatus, ...bank } = made;
    expect(handover?.record).toMatchObject(key === 'amd-optional' ? bank : { ...bank, mcgStatus });
  });

  it('is a filler also where the bank was full, in no other bank and with no other bit', () => {
    const { status, bank } = QEMU_BROADCAST_FILLER;
    expect(isBroadcastFiller({ status: status | (1n << 62n), bank })).toBe(true);
    expect(isBroadcastFiller({ status, bank: 2 })).toBe(false);
    expect(isBroadcastFiller({ status: status | 1n, bank })).toBe(false);
  });

  it('names its syndromes', () => {
    const qemu = NAMED_ESR.filter(n => isQemuAbort(n.esr)).map(n => n.name);
    expect(qemu).toEqual(['qemu-sea-el0', 'qemu-sea-el1']);
  });
});

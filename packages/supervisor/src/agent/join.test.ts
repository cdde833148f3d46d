import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SeenEvent } from '../core/said.ts';
import { addressOf, frameAt, frameOf, guestAddress, Joiner, mappings } from './join.ts';
import { Vms } from './vms.ts';

const split = (entry: bigint): [number, number] => [Number(entry & 0xffff_ffffn), Number(entry >> 32n)];

describe('pagemap', () => {
  test('an entry names its frame, also of a page that was taken out of use', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: (1n << 40n) - 1n }), fc.nat(31), (pfn, kind) => {
        expect(frameOf(...split((1n << 63n) | (1n << 61n) | pfn))).toBe(pfn);
        const swapped = frameOf(...split((1n << 62n) | (pfn << 5n) | BigInt(kind)));
        expect(swapped).toBe(kind < 20 ? undefined : pfn);
      }),
    );
    expect(frameOf(0, 0)).toBeUndefined();
    // Hidden from this user.
    expect(frameOf(0, 0x8000_0000)).toBeUndefined();
  });

  test('only large writable mappings are looked at', () => {
    const text =
      '7f0000000000-7f0000200000 rw-p 00000000 00:00 0 \n7f0000300000-7f0000301000 rw-p 0 00:00 0\n7f0000400000-7f0000800000 r-xp 0 00:00 0 /x\n';
    expect(mappings(text)).toEqual([{ from: 0x7f0000000000n, to: 0x7f0000200000n }]);
  });

  test('this very process: from address to frame, and back', context => {
    const memory = Buffer.alloc(4 << 20, 1);
    const { from } = mappings(readFileSync('/proc/self/maps', 'utf8')).at(-1)!;
    expect(memory.length).toBe(4 << 20);
    for (let page = 0n; page < 64n; page++) {
      const pfn = frameAt(process.pid, from + page * 4096n);
      if (pfn === undefined) continue;
      const found = addressOf(process.pid, pfn)!;
      expect(frameAt(process.pid, found)).toBe(pfn);
      return;
    }
    context.skip('this user may not see frame numbers');
  });
});

describe('the join', () => {
  const ram = [
    { gpa: 0n, hva: 0x7f00_0000_0000n, bytes: 0xc000_0000n },
    { gpa: 1n << 32n, hva: 0x7f00_c000_0000n, bytes: 0x4000_0000n },
  ];

  test('an address of the process is one of the guest, across the hole below 4 GiB', () => {
    expect(guestAddress(ram, 0x7f00_0030_0000n)).toBe(0x30_0000n);
    expect(guestAddress(ram, 0x7f00_c000_1000n)).toBe(0x1_0000_1000n);
    expect(guestAddress(ram, 0x7f01_0000_0000n)).toBeUndefined();
  });

  test('a process that the kernel names is a VM; what is of no VM stays as it is', () => {
    const vms = new Vms();
    vms.foundCopy('web', { pid: 77_777_777, startTicks: '1', boot: 'b', socket: '/s' });
    const joiner = new Joiner(vms);
    const sent = (pid: number): SeenEvent => ({
      kind: 'event',
      source: 'kmsg',
      event: { name: 'host.sigbus-sent', fields: { pfn: 5n, comm: 'qemu', pid } },
    });
    expect(joiner.join(sent(77_777_777))).toMatchObject({ vm: 'web', pfn: 5n });
    const other = new Joiner(vms).join(sent(77_777_778));
    expect(other).toMatchObject({ pfn: 5n });
    expect(other.vm).toBeUndefined();
    const theirs: SeenEvent = { kind: 'event', source: 'qmp', vm: 'x', event: { name: 'vmm.stop', fields: {} } };
    expect(joiner.join(theirs)).toBe(theirs);
  });
});

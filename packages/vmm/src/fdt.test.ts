import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deviceTree } from './device-tree.ts';
import { writeFdt } from './fdt.ts';
import type { FdtNode } from './fdt.ts';

type Read = { name: string; properties: Record<string, Uint8Array>; children: Read[] };

/** Reads a flattened tree back, from the specification and not from the writer. */
function readFdt(bytes: Uint8Array): Read {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const head = Array.from({ length: 10 }, (_, index) => view.getUint32(index * 4));
  const [magic, total, struct = 0, strings = 0, reserve = 0, version, compatible, , stringsSize = 0, structSize = 0] =
    head;
  expect([magic, total, version, compatible]).toEqual([0xd00dfeed, bytes.length, 17, 16]);
  expect([struct % 4, reserve % 8]).toEqual([0, 0]);
  expect(view.getBigUint64(reserve) | view.getBigUint64(reserve + 8)).toBe(0n);
  expect(strings + stringsSize).toBeLessThanOrEqual(bytes.length);
  const cstring = (at: number): string => Buffer.from(bytes).toString('utf8', at, bytes.indexOf(0, at));
  let at = struct;
  const u32 = (): number => {
    at += 4;
    return view.getUint32(at - 4);
  };
  const node = (): Read => {
    const name = cstring(at);
    at = (at + Buffer.byteLength(name) + 4) & ~3;
    const read: Read = { name, properties: {}, children: [] };
    for (;;) {
      const token = u32();
      if (token === 2) return read;
      if (token === 1) read.children.push(node());
      else {
        if (token !== 3) throw new Error(`token ${token} in a node`);
        const length = u32();
        const key = cstring(strings + u32());
        read.properties[key] = bytes.slice(at, at + length);
        at = (at + length + 3) & ~3;
      }
    }
  };
  expect(u32()).toBe(1);
  const root = node();
  expect(u32()).toBe(9);
  expect(at).toBe(struct + structSize);
  return root;
}

const cells = (bytes: Uint8Array | undefined): number[] => {
  const view = new DataView(Uint8Array.from(bytes ?? []).buffer);
  return Array.from({ length: view.byteLength / 4 }, (_, index) => view.getUint32(index * 4));
};

describe('writeFdt', () => {
  test('any tree is read back as it was', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9,._+-]{0,20}$/);
    const value = fc.oneof(
      fc.constant(null),
      fc.string().filter(s => !s.includes('\0')),
      fc.array(fc.nat({ max: 0xffffffff })),
      fc.uint8Array({ maxLength: 33 }),
    );
    const { node } = fc.letrec<{ node: FdtNode }>(tie => ({
      node: fc.record({
        name,
        properties: fc.dictionary(name, value, { maxKeys: 5 }),
        children: fc.oneof({ maxDepth: 3 }, fc.constant([]), fc.array(tie('node'), { maxLength: 3 })),
      }),
    }));
    /** The bytes of a value, by the rules of the specification's section 2.2.4. */
    const bytesOf = (v: FdtNode['properties'][string]): Uint8Array => {
      if (v === null) return new Uint8Array();
      if (typeof v === 'string') return Buffer.from(`${v}\0`);
      if (v instanceof Uint8Array) return v;
      const out = Buffer.alloc(v.length * 4);
      v.forEach((cell, index) => out.writeUInt32BE(Number(cell), index * 4));
      return out;
    };
    const asRead = (tree: FdtNode): Read => ({
      name: tree.name,
      properties: Object.fromEntries(
        Object.entries(tree.properties).map(([key, v]) => [key, Uint8Array.from(bytesOf(v))]),
      ),
      children: (tree.children ?? []).map(asRead),
    });
    fc.assert(
      fc.property(node, tree => {
        const root = { ...tree, name: '' };
        expect(readFdt(writeFdt(root))).toEqual(asRead(root));
      }),
    );
  });

  test('64-bit values take two cells, string lists follow one another', () => {
    const root = readFdt(writeFdt({ name: '', properties: { reg: [0x1_0000_0002n, 3], list: ['a', 'bc'] } }));
    expect(cells(root.properties['reg'])).toEqual([1, 2, 3]);
    expect(Buffer.from(root.properties['list'] ?? []).toString()).toBe('a\0bc\0');
  });

  test.each(['', 'a b', 'a/b', 'ä', 'x'.repeat(32)])('refuses the name %j', name => {
    expect(() => writeFdt({ name: '', properties: {}, children: [{ name, properties: {} }] })).toThrow(
      expect.objectContaining({ code: 'E_VMM_FDT' }),
    );
  });

  test('refuses a string that would end early', () => {
    expect(() => writeFdt({ name: '', properties: { bootargs: 'a\0b' } })).toThrow(/NUL/);
  });
});

describe('deviceTree', () => {
  const root = readFdt(
    writeFdt(
      deviceTree({
        vcpus: 2,
        memoryBytes: 0x2000_0000n,
        bootargs: 'console=ttyS0',
        initrd: { start: 0x4400_0000n, end: 0x4410_0000n },
      }),
    ),
  );
  const child = (name: string): Read | undefined => root.children.find(c => c.name === name);

  test('tells memory, initramfs, command line and CPUs', () => {
    expect(cells(child('memory@40000000')?.properties['reg'])).toEqual([0, 0x4000_0000, 0, 0x2000_0000]);
    expect(cells(child('chosen')?.properties['linux,initrd-end'])).toEqual([0, 0x4410_0000]);
    expect(Buffer.from(child('chosen')?.properties['bootargs'] ?? []).toString()).toBe('console=ttyS0\0');
    expect(child('cpus')?.children.map(c => cells(c.properties['reg']))).toEqual([[0], [1]]);
  });

  test('the redistributor region grows with the vCPUs, and stays below the first line', () => {
    const reg = cells(child('interrupt-controller@8000000')?.properties['reg']);
    expect(reg).toEqual([0, 0x0800_0000, 0, 0x1_0000, 0, 0x080a_0000, 0, 0x4_0000]);
  });

  test('the console is the line that stdout-path names', () => {
    const path = Buffer.from(child('chosen')?.properties['stdout-path'] ?? []).toString();
    expect(path).toBe('/serial@9000000\0');
    expect(cells(child('serial@9000000')?.properties['interrupts'])).toEqual([0, 1, 4]);
    expect(cells(child('serial@9001000')?.properties['interrupts'])).toEqual([0, 2, 4]);
  });
});

/** @module A note added to an ELF executable: how Node finds the program in a single executable file. */

const PT_LOAD = 1;
const PT_NOTE = 4;
const PT_PHDR = 6;
const PHDR_BYTES = 56;
const PAGE = 4096;

const align = (value: number, to: number): number => Math.ceil(value / to) * to;

interface Segment {
  type: number;
  offset: number;
  address: bigint;
  bytes: number;
  alignment: number;
}

function segment({ type, offset, address, bytes, alignment }: Segment): Buffer {
  const header = Buffer.alloc(PHDR_BYTES);
  header.writeUInt32LE(type, 0);
  header.writeUInt32LE(4, 4); // readable
  header.writeBigUInt64LE(BigInt(offset), 8);
  header.writeBigUInt64LE(address, 16);
  header.writeBigUInt64LE(address, 24);
  header.writeBigUInt64LE(BigInt(bytes), 32);
  header.writeBigUInt64LE(BigInt(bytes), 40);
  header.writeBigUInt64LE(BigInt(alignment), 48);
  return header;
}

/**
 * A 64-bit little-endian ELF file with a note more. A new segment at its end holds the program headers, which have no room for
 * more where they are, and the note.
 *
 * @throws Error when the file is none
 */
export function withNote(file: Buffer, name: string, data: Buffer): Buffer {
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1) {
    throw new Error('not a 64-bit little-endian ELF file');
  }
  const [table, count] = [Number(file.readBigUInt64LE(32)), file.readUInt16LE(56)];
  const headers = Array.from({ length: count }, (_, i) =>
    file.subarray(table + i * PHDR_BYTES, table + (i + 1) * PHDR_BYTES),
  );
  const loads = headers.filter(h => h.readUInt32LE(0) === PT_LOAD);
  const first = loads.find(h => h.readBigUInt64LE(8) === 0n);
  if (first === undefined) throw new Error('the file has no segment at its beginning');
  const base = first.readBigUInt64LE(16);
  const end = loads.reduce((most, h) => {
    const last = h.readBigUInt64LE(16) + h.readBigUInt64LE(40);
    return last > most ? last : most;
  }, 0n);
  // Older kernels look for the headers at the base plus their offset, so both have to be as far away.
  const start = align(Math.max(file.length, Number(end - base)), PAGE);
  const address = base + BigInt(start);
  const noteAt = (count + 2) * PHDR_BYTES;
  const nameBytes = Buffer.alloc(align(name.length + 1, 4));
  nameBytes.write(name);
  const note = Buffer.alloc(12);
  note.writeUInt32LE(name.length + 1, 0);
  note.writeUInt32LE(data.length, 4);
  const noteBytes = note.length + nameBytes.length + align(data.length, 4);
  const added = noteAt + noteBytes;
  const newHeaders = headers.map(h => {
    if (h.readUInt32LE(0) !== PT_PHDR) return h;
    return segment({ type: PT_PHDR, offset: start, address, bytes: noteAt, alignment: 8 });
  });
  // Loaded segments stand in the order of their addresses.
  const lastLoad = newHeaders.findLastIndex(h => h.readUInt32LE(0) === PT_LOAD);
  newHeaders.splice(lastLoad + 1, 0, segment({ type: PT_LOAD, offset: start, address, bytes: added, alignment: PAGE }));
  newHeaders.push(
    segment({
      type: PT_NOTE,
      offset: start + noteAt,
      address: address + BigInt(noteAt),
      bytes: noteBytes,
      alignment: 4,
    }),
  );
  const head = Buffer.from(file.subarray(0, 64));
  head.writeBigUInt64LE(BigInt(start), 32);
  head.writeUInt16LE(count + 2, 56);
  return Buffer.concat([
    head,
    file.subarray(64),
    Buffer.alloc(start - file.length),
    ...newHeaders,
    note,
    nameBytes,
    data,
    Buffer.alloc(align(data.length, 4) - data.length),
  ]);
}

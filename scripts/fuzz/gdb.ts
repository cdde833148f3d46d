/** Fuzz targets of the room `gdb`: what a stub may send, the description of its registers, and page tables that are damaged. */
import { Duplex } from 'node:stream';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { deadlineIn } from '@syndrome/qemu/gdb/deadline.ts';
import { GdbClosedError, GdbError, GdbProtocolError, Stage2Error } from '@syndrome/qemu/gdb/errors.ts';
import { GdbLink } from '@syndrome/qemu/gdb/link.ts';
import { type Frame, PacketReader, encodePacket } from '@syndrome/qemu/gdb/packet.ts';
import {
  type Stage2Format,
  stage2Base,
  stage2Format,
  walkStage2,
  withTableAddress,
} from '@syndrome/qemu/gdb/stage2.ts';
import { isThreadId, parseStop } from '@syndrome/qemu/gdb/stop.ts';
import { readTargetDescription } from '@syndrome/qemu/gdb/target-description.ts';
import { Stage2Tables, type VtcrFields } from '@syndrome/qemu/gdb/testing/stage2-tables.ts';
import type { Chance } from '../chance.ts';
import { chunks, spoiledText } from './junk.ts';
import { spoiled } from './inputs.ts';
import { attempt, attemptLater, differences, errorFaults } from './oracles.ts';
import type { Target } from './target.ts';

const PAYLOADS = ['OK', 'E14', 'T02thread:p1.1;', 'S05', 'W00', 'QC1', 'O48690a', '', 'l<target/>', 'ffffffff', 'm1,2'];

/** Frames of which the number of bytes outside of them, and not their pieces, counts. */
function together(frames: readonly Frame[]): Frame[] {
  const out: Frame[] = [];
  for (const frame of frames) {
    const last = out.at(-1);
    if (frame.kind === 'garbage' && last?.kind === 'garbage') last.bytes += frame.bytes;
    else out.push({ ...frame });
  }
  return out;
}

/** What a stub may send: frames good and bad, acknowledgements, noise. */
function anyStream(chance: Chance): Uint8Array {
  const parts = Array.from({ length: chance.below(6) }, (): Uint8Array => {
    switch (chance.below(6)) {
      case 0:
        return Buffer.from(chance.pick(['+', '-', '++', '$', '}', '%Stop:T05#2d', '$0*"#52']), 'latin1');
      case 1:
        return chance.bytes(chance.below(20));
      case 2: {
        const good = encodePacket(chance.bytes(chance.below(40)));
        return spoiled(chance, good, [good]);
      }
      default:
        return encodePacket(chance.pick(PAYLOADS));
    }
  });
  return new Uint8Array(Buffer.concat(parts));
}

const PACKET: Target = {
  name: 'gdb:packet',
  holds: 'any bytes in any pieces: the same frames, none larger than the bound; what is encoded is read again',
  weight: 24,
  open: () => chance => {
    const payload = chance.bytes(chance.below(60));
    const fresh = new PacketReader();
    const frames = chunks(chance, encodePacket(payload)).flatMap(c => [...fresh.push(c)]);
    const wrong = differences('encoded and read', frames, [{ kind: 'packet', payload }]);
    const bytes = anyStream(chance);
    const most = chance.pick([8, 1024]);
    const readAll = (reader: PacketReader): Frame[] => chunks(chance, bytes).flatMap(c => [...reader.push(c)]);
    const [one, other] = [new PacketReader(most), new PacketReader(most)];
    const got = together(readAll(one));
    wrong.push(...differences('other pieces', got, together(readAll(other))));
    if (one.pendingBytes !== other.pendingBytes || one.pendingBytes > bytes.length) wrong.push('bytes held back');
    for (const frame of got) {
      if ((frame.kind === 'packet' || frame.kind === 'notification') && frame.payload.length > most)
        wrong.push('too large');
    }
    const overflow = got.findIndex(f => f.kind === 'overflow');
    if (overflow >= 0 && overflow !== got.length - 1) wrong.push('goes on after an overflow');
    return wrong;
  },
};

const STOP: Target = {
  name: 'gdb:stop',
  holds: 'stop replies: a signal or an end that the payload tells, or none',
  weight: 60,
  open: () => chance => {
    const payload = spoiledText(chance, chance.pick(PAYLOADS), PAYLOADS);
    const stop = parseStop(payload);
    if (stop === undefined) return [];
    const wrong: string[] = [];
    const number = stop.kind === 'signal' ? stop.signal : stop.status;
    if (number !== Number.parseInt(payload.slice(1, 3), 16)) wrong.push(`${number} of ${payload}`);
    if (stop.raw.length > 256) wrong.push('raw is too long');
    if (stop.kind === 'signal' && stop.thread !== undefined) {
      if (!isThreadId(stop.thread) || !payload.includes(`thread:${stop.thread}`)) wrong.push(`thread ${stop.thread}`);
    }
    return wrong;
  },
};

const LINK: Target = {
  name: 'gdb:link',
  holds:
    'requests to a stub that answers wrong, twice or never: each ends, with an answer that came or an error of the room',
  weight: 2,
  open: () => async chance => {
    const wrong: string[] = [];
    const written: Buffer[] = [];
    const stream = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        written.push(chunk);
        done();
      },
    });
    let closed = 0;
    const link = new GdbLink(stream, { onStop: () => {}, onClosed: () => closed++, maxPacketBytes: 1024 });
    const said: Uint8Array[] = [];
    for (let n = 1 + chance.below(3); n > 0; n--) {
      const request = attemptLater(
        () =>
          link.exchange('a request', chance.pick(['?', 'g', 'qC']), deadlineIn(60_000), {
            stopReply: chance.oneIn(3),
          }),
        [GdbClosedError, GdbProtocolError],
      );
      said.push(anyStream(chance), Buffer.from('+'), encodePacket(chance.pick(PAYLOADS)), anyStream(chance));
      for (const chunk of chunks(chance, Buffer.concat(said.splice(0)))) stream.emit('data', Buffer.from(chunk));
      // Whoever has no answer by now gets none.
      const before = link.ended;
      if (chance.oneIn(3)) link.shutdown(undefined);
      const answered = await Promise.race([request, new Promise<undefined>(done => setImmediate(done, undefined))]);
      if (answered === undefined) {
        link.shutdown(undefined);
        wrong.push(...(await request).wrong);
        break;
      }
      wrong.push(...answered.wrong);
      if (before !== undefined) wrong.push(...errorFaults(before, [GdbError]));
      if (link.ended !== undefined) break;
    }
    link.shutdown(undefined);
    stream.destroy();
    const late = await attemptLater(() => link.exchange('late', '?', deadlineIn(60_000)), [GdbClosedError]);
    wrong.push(...late.wrong);
    if (late.error === undefined) wrong.push('asks after the end');
    if (closed > 1) wrong.push('closed more than once');
    return wrong;
  },
};

const DOCUMENT = `<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd">
<target><architecture>aarch64</architecture><xi:include href="core.xml"/>
<feature name="org.gnu.gdb.aarch64.core"><!-- a > b --><reg name="x0" bitsize="64" regnum="0"/>
<reg name="sp" bitsize="64" type="data_ptr"/><reg name="cpsr" bitsize="32"/></feature></target>`;
const CORE = `<feature name='org.qemu.gdb.arm.sys.regs'><reg name="VTCR_EL2" bitsize="64" regnum="200"/></feature>`;
const DOCUMENTS = [DOCUMENT, CORE, '<a b="&lt;&amp;"><![CDATA[<x>]]></a>'];

const DESCRIPTION: Target = {
  name: 'gdb:description',
  holds: 'target descriptions, also ones that include themselves: bounded registers, or a protocol error',
  weight: 8,
  open: () => async chance => {
    let fetched = 0;
    const [target, core] = [spoiledText(chance, DOCUMENT, DOCUMENTS), spoiledText(chance, CORE, DOCUMENTS)];
    const { value, wrong } = await attemptLater(
      () =>
        readTargetDescription(annex => {
          fetched++;
          return Promise.resolve(annex === 'target.xml' ? target : core);
        }),
      [GdbProtocolError],
    );
    if (fetched > 64) wrong.push(`${fetched} documents`);
    for (const { name, regnum, bitsize } of value?.registers ?? []) {
      if (!target.includes(name) && !core.includes(name)) wrong.push(`register ${name}`);
      if (!(regnum >= 0 && regnum <= 0xffff) || !(bitsize >= 1 && bitsize <= 1 << 20))
        wrong.push(`${regnum} ${bitsize}`);
    }
    return wrong;
  },
};

/** Tables of each granule: start level, its sizes, and where blocks may stand. */
const FORMATS: readonly { fields: VtcrFields; granuleBits: bigint; inputBits: bigint; levels: readonly number[] }[] = [
  { fields: { t0sz: 24, sl0: 1, tg0: 0, ps: 2 }, granuleBits: 12n, inputBits: 40n, levels: [1, 2, 3] },
  { fields: { t0sz: 16, sl0: 2, tg0: 0, ps: 5 }, granuleBits: 12n, inputBits: 48n, levels: [1, 2, 3] },
  {
    fields: { t0sz: 12, sl0: 0, sl2: 1, tg0: 0, ps: 6, ds: 1 },
    granuleBits: 12n,
    inputBits: 52n,
    levels: [0, 1, 2, 3],
  },
  { fields: { t0sz: 22, sl0: 1, tg0: 1, ps: 5 }, granuleBits: 16n, inputBits: 42n, levels: [2, 3] },
  { fields: { t0sz: 24, sl0: 1, tg0: 2, ps: 2 }, granuleBits: 14n, inputBits: 40n, levels: [2, 3] },
];

const STAGE2: Target = {
  name: 'gdb:stage2',
  holds:
    'stage-2 walks: what was mapped is found; damaged tables lead to few reads within memory and a fault or an address that fits',
  weight: 16,
  open: () => async chance => {
    const { fields, granuleBits, inputBits, levels } = chance.pick(FORMATS);
    const tables = new Stage2Tables(fields);
    const level = chance.pick(levels);
    const size = 1n << (granuleBits + (granuleBits - 3n) * BigInt(3 - level));
    const outputBits = [32n, 36n, 40n, 42n, 44n, 48n, 52n][fields.ps] ?? 32n;
    const within = (bits: bigint): bigint => chance.u64() & ((1n << bits) - 1n) & ~(size - 1n);
    const [page, pa] = [within(inputBits), within(outputBits)];
    tables.map({ ipa: page, pa, level });
    const ipa = page + (chance.u64() & (size - 1n));
    const input = { vttbr: tables.vttbr, vtcr: tables.vtcr, ipa };
    const whole = await walkStage2(input, address => Promise.resolve(tables.read(address)));
    const wrong = differences('mapped', whole.output, { pa: pa + (ipa - page), size });
    const damage = chance.below(5);
    let reads = 0;
    const asked: bigint[] = [];
    const bit = 1n << BigInt(chance.below(64));
    const registers = chance.oneIn(3)
      ? { vttbr: input.vttbr ^ bit, vtcr: input.vtcr ^ (1n << BigInt(chance.below(40))) }
      : {};
    const from = { ...input, ...registers, ...(chance.oneIn(4) ? { ipa: chance.u64() } : {}) };
    const walk = await attemptLater(
      () =>
        walkStage2(from, address => {
          asked.push(address);
          const good = tables.read(address);
          return Promise.resolve(reads++ === damage ? good ^ bit : chance.oneIn(8) ? chance.u64() : good);
        }),
      [Stage2Error],
    );
    wrong.push(...walk.wrong);
    if (reads > 5) wrong.push(`${reads} reads`);
    if (walk.value === undefined) return wrong;
    const format = stage2Format(from.vtcr);
    for (const address of asked) {
      if (address % 8n !== 0n || address >> BigInt(format.outputBits) !== 0n)
        wrong.push(`read at ${address.toString(16)}`);
    }
    const { output, fault } = walk.value;
    if ((output === undefined) === (fault === undefined)) wrong.push('neither an address nor a fault, or both');
    if (output !== undefined && output.pa >> BigInt(format.outputBits) !== 0n)
      wrong.push(`address ${output.pa.toString(16)}`);
    return wrong;
  },
};

const any64 = (chance: Chance): bigint => (chance.oneIn(2) ? chance.u64() : 1n << BigInt(chance.below(64)));

const STAGE2_REGISTERS: Target = {
  name: 'gdb:stage2-registers',
  holds:
    'any VTCR_EL2 and VTTBR_EL2: a format whose numbers go together or a Stage2Error; an address put into a descriptor is found there',
  weight: 40,
  open: () => chance => {
    const vtcr = chance.oneIn(2) ? any64(chance) : (chance.u64() & 0x3_0007_c0c0n) | BigInt(12 + chance.below(36));
    const { value: format, wrong } = attempt((): Stage2Format => stage2Format(vtcr), [Stage2Error]);
    if (format === undefined) return wrong;
    const { inputBits, startIndexBits, concatenated, startLevel } = format;
    if (inputBits < 16 || inputBits > 52 || startIndexBits < 1 || concatenated > 16 || startLevel < -1)
      wrong.push('numbers');
    const base = attempt(() => stage2Base(any64(chance), format), [Stage2Error]);
    wrong.push(...base.wrong);
    if (base.value !== undefined && base.value % (1n << BigInt(startIndexBits + 3)) !== 0n)
      wrong.push('a base off its size');
    const [descriptor, address] = [chance.u64() | 3n, any64(chance) & ~((1n << BigInt(format.granuleBits)) - 1n)];
    const changed = attempt(() => withTableAddress(descriptor, address, format), [Stage2Error, UsageError]);
    wrong.push(...changed.wrong);
    if (changed.value !== undefined) {
      if (changed.value >> 64n !== 0n || (changed.value & 3n) !== 3n) wrong.push('not a table descriptor');
      const back = withTableAddress(changed.value, 0n, format);
      const other = withTableAddress(descriptor, 0n, format);
      if (back !== other) wrong.push('other bits have changed');
    }
    return wrong;
  },
};

export const GDB: readonly Target[] = [PACKET, STOP, LINK, DESCRIPTION, STAGE2, STAGE2_REGISTERS];

import net from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { GdbClient, type GdbClientOptions } from './client.ts';
import type { TranscriptEntry } from './transcript.ts';
import {
  GdbClosedError,
  GdbConnectError,
  GdbDeadlineError,
  GdbProtocolError,
  GdbRemoteError,
  GdbUnsupportedError,
  GdbWriteError,
} from './errors.ts';
import { encodePacket } from './packet.ts';
import { type Answers, ordinary, slice, Stub, type StubServer, stubServer } from './testing/stub.ts';

let server: StubServer;
beforeAll(async () => {
  server = await stubServer();
});
afterAll(() => server.close());

async function connected(
  options: GdbClientOptions = {},
  answers: Answers = ordinary,
): Promise<{ gdb: GdbClient; stub: Stub }> {
  const { socket, stub } = await server.pair(answers);
  return { gdb: await GdbClient.attach(socket, options), stub };
}

/** What a promise rejects with. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    value => expect.fail(`resolved to ${String(value)}`),
    (error: unknown) => error,
  );
}

/** Answers like the ordinary stub, but for one request. */
function but(request: string, answer: string | undefined): Answers {
  return asked => (asked === request ? answer : ordinary(asked));
}

describe('connecting', () => {
  test('learns the state, the features and the registers, over several packets', async () => {
    const { gdb, stub } = await connected();
    expect(gdb.state).toBe('halted');
    expect(gdb.lastStop).toMatchObject({ kind: 'signal', signal: 5, thread: '01' });
    expect(gdb.features.get('PacketSize')).toBe('200');
    expect(gdb.description.registers.map(r => [r.name, r.regnum, r.bitsize])).toEqual([
      ['x0', 0, 64],
      ['x1', 1, 64],
      ['odd', 9, 12],
    ]);
    expect(stub.requests.filter(r => r.startsWith('qXfer')).length).toBeGreaterThanOrEqual(1);
    await gdb.close();
  });

  test('to nothing says so', async () => {
    const error = await failure(GdbClient.connect({ path: `${server.path}.none` }));
    expect(error).toBeInstanceOf(GdbConnectError);
    expect(error).toMatchObject({ code: 'E_GDB_CONNECT', hint: expect.stringMatching(/not created it/) as string });
    expect(await failure(GdbClient.connect({ path: `/tmp/${'x'.repeat(200)}` }))).toMatchObject({
      message: expect.stringMatching(/107 bytes/) as string,
    });
  });

  test('over TCP', async () => {
    const tcp = net.createServer(socket => new Stub(socket, ordinary));
    await new Promise<void>(resolve => tcp.listen(0, '127.0.0.1', resolve));
    const { port } = tcp.address() as net.AddressInfo;
    const gdb = await GdbClient.connect({ host: '127.0.0.1', port });
    expect(await gdb.threads()).toEqual(['01']);
    await gdb.close();
    await new Promise(resolve => tcp.close(resolve));
    expect(await failure(GdbClient.connect({ host: '127.0.0.1', port }))).toBeInstanceOf(GdbConnectError);
  });

  test('to a peer that says nothing ends at the deadline', async () => {
    const { socket } = await server.pair(() => undefined);
    expect(await failure(GdbClient.attach(socket, { deadlineMs: 20 }))).toBeInstanceOf(GdbDeadlineError);
    expect(socket.writableEnded || socket.destroyed).toBe(true);
  });

  test('to a peer that is no gdbstub says so or ends at the deadline, whatever it sends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async bytes => {
        const { socket, stub } = await server.pair(() => undefined);
        stub.write(bytes);
        const error = await failure(GdbClient.attach(socket, { deadlineMs: 20 }));
        expect(error).toHaveProperty('code', expect.stringMatching(/^E_GDB_(PROTOCOL|DEADLINE|CLOSED)$/));
      }),
      { numRuns: 20 },
    );
  });

  test('over a destroyed stream, and with an aborted signal, says so', async () => {
    const { socket } = await server.pair();
    socket.destroy();
    expect(await failure(GdbClient.attach(socket))).toBeInstanceOf(GdbClosedError);
    const other = await server.pair();
    const attaching = GdbClient.attach(other.socket, { signal: AbortSignal.abort(new Error('enough')) });
    expect(await failure(attaching)).toBeInstanceOf(GdbClosedError);
  });

  test.each([
    ['not XML', 'no element'],
    ['<target><reg name="a"/></target>', 'bitsize'],
    ['<target><xi:include href="a:0,1#00"/></target>', 'include without a usable name'],
    ['<target><xi:include href="target.xml"/></target>', 'more than 64 documents'],
    ['<!DOCTYPE t [<!ENTITY a "b">]><target/>', 'declarations'],
  ])('to a stub whose description is %s says so', async (xml, reason) => {
    const answers: Answers = asked => (asked.startsWith('qXfer') ? slice(xml, asked) : ordinary(asked));
    const { socket } = await server.pair(answers);
    const error = await failure(GdbClient.attach(socket));
    expect(error).toBeInstanceOf(GdbProtocolError);
    expect((error as Error).message).toContain(reason);
  });

  test('to a stub without description, registers are unsupported and memory is not', async () => {
    const { gdb } = await connected({}, asked => (asked.startsWith('qSupported') ? '' : ordinary(asked)));
    expect(await failure(gdb.readRegister('x0'))).toBeInstanceOf(GdbUnsupportedError);
    expect(await gdb.readMemory(0x10n, 2)).toEqual(Uint8Array.of(0x10, 0x11));
  });

  test('without acknowledgements, where the stub offers it', async () => {
    const { gdb, stub } = await connected({}, asked =>
      asked.startsWith('qSupported') ? 'QStartNoAckMode+' : asked === 'QStartNoAckMode' ? 'OK' : ordinary(asked),
    );
    expect(stub.acks).toBe(false);
    expect(await gdb.readMemory(0n, 1)).toEqual(Uint8Array.of(0));
    await gdb.resume();
    expect(await gdb.halt()).toMatchObject({ signal: 2 });
    expect(stub.requests.at(-1)).toBe('c');
    expect(stub.lost).toEqual([]);
  });
});

describe('requests', () => {
  test('read registers, least significant byte first, of the vCPU named', async () => {
    const { gdb, stub } = await connected();
    expect(await gdb.readRegister('x0')).toBe(0x0011_2233_4455_6677n);
    await gdb.readRegister('x0', { thread: '02' });
    await gdb.readRegister('x0', { thread: '02' });
    expect(stub.requests.slice(-5)).toEqual(['Hg01', 'p0', 'Hg02', 'p0', 'p0']);
    expect(await failure(gdb.readRegister('x0', { thread: '1;D' }))).toBeInstanceOf(UsageError);
    expect(await failure(gdb.readRegister('x9'))).toBeInstanceOf(GdbUnsupportedError);
  });

  test('say when a register did not take the value', async () => {
    const { gdb, stub } = await connected();
    await gdb.writeRegister('x0', 0x0011_2233_4455_6677n);
    expect(stub.requests).toContain('P0=7766554433221100');
    expect(await failure(gdb.writeRegister('x0', 1n))).toBeInstanceOf(GdbWriteError);
    expect(await failure(gdb.writeRegister('odd', 0x1000n))).toBeInstanceOf(UsageError);
  });

  test('read any range of memory in parts', async () => {
    const { gdb } = await connected();
    await fc.assert(
      fc.asyncProperty(fc.bigInt({ min: 0n, max: 1n << 60n }), fc.nat({ max: 2000 }), async (address, length) => {
        const bytes = await gdb.readMemory(address, length);
        const expected = Uint8Array.from({ length }, (_, i) => Number((address + BigInt(i)) & 0xffn));
        expect(bytes).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  test('write memory in parts that cover it once', async () => {
    const { gdb, stub } = await connected();
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i & 0xff);
    await gdb.writeMemory(0x1000n, bytes);
    const written = stub.requests.filter(r => r.startsWith('M')).map(r => /^M([0-9a-f]+),([0-9a-f]+):(.*)$/.exec(r)!);
    expect(Buffer.from(written.map(w => w[3]).join(''), 'hex')).toEqual(Buffer.from(bytes));
    let next = 0x1000;
    for (const [, address, length, data] of written) {
      expect(Number.parseInt(address!, 16)).toBe(next);
      expect(data).toHaveLength(Number.parseInt(length!, 16) * 2);
      next += Number.parseInt(length!, 16);
    }
    expect(Math.max(...stub.requests.map(r => r.length))).toBeLessThanOrEqual(0x200);
  });

  test('switch to physical memory once, back before the machine runs, and on again after', async () => {
    const { gdb, stub } = await connected();
    await gdb.readMemory(0n, 1, { physical: true });
    await gdb.readMemory(0n, 1, { physical: true });
    await gdb.resume();
    await gdb.halt();
    await gdb.physicalMemory(true);
    await gdb.readMemory(0n, 1);
    await gdb.readMemory(0n, 1, { physical: false });
    await gdb.physicalMemory(true);
    await gdb.close();
    expect(stub.requests.filter(r => /^(Qqemu|m|vCont|D)/.test(r))).toEqual([
      'Qqemu.PhyMemMode:1',
      'm0,1',
      'm0,1',
      'Qqemu.PhyMemMode:0',
      'vCont;c',
      'Qqemu.PhyMemMode:1',
      'm0,1',
      'Qqemu.PhyMemMode:0',
      'm0,1',
      'Qqemu.PhyMemMode:1',
      'Qqemu.PhyMemMode:0',
      'D',
    ]);
  });

  test('refused by the stub, unknown to it, or without physical memory, say so and leave the connection usable', async () => {
    const { gdb, stub } = await connected();
    stub.answers = but('m0,1', 'E14');
    expect(await failure(gdb.readMemory(0n, 1))).toMatchObject({ code: 'E_GDB_REMOTE', answer: 'E14' });
    stub.answers = but('m0,1', 'E.no such thing');
    expect(await failure(gdb.readMemory(0n, 1))).toBeInstanceOf(GdbRemoteError);
    stub.answers = but('m0,1', '');
    expect(await failure(gdb.readMemory(0n, 1))).toBeInstanceOf(GdbUnsupportedError);
    stub.answers = but('Qqemu.PhyMemMode:1', '');
    expect(await failure(gdb.readMemory(0n, 1, { physical: true }))).toBeInstanceOf(GdbUnsupportedError);
    expect(await gdb.readMemory(0x42n, 1)).toEqual(Uint8Array.of(0x42));
  });

  test.each(['0', 'zz', '0011', 'OK'])('answered with %s for one byte of memory end the connection', async answer => {
    const { gdb } = await connected({}, but('m0,1', answer));
    expect(await failure(gdb.readMemory(0n, 1))).toBeInstanceOf(GdbProtocolError);
    expect(await gdb.closed).toBeInstanceOf(GdbProtocolError);
    expect(await failure(gdb.threads())).toBeInstanceOf(GdbClosedError);
  });

  test('a list of vCPUs without end, ends', async () => {
    const { gdb } = await connected({}, asked => (asked === 'qsThreadInfo' ? 'm02,03' : ordinary(asked)));
    expect(await failure(gdb.threads())).toBeInstanceOf(GdbProtocolError);
  });

  test('overlapping, each get their own answer', async () => {
    const { gdb } = await connected();
    const addresses = Array.from({ length: 50 }, (_, i) => BigInt(i));
    const read = await Promise.all(addresses.map(a => gdb.readMemory(a, 1)));
    expect(read.map(bytes => BigInt(bytes[0]!))).toEqual(addresses);
  });
});

describe('running and halting', () => {
  test('sends a running machine nothing but one interrupt', async () => {
    const { gdb, stub } = await connected();
    for (let i = 0; i < 20; i++) {
      await gdb.resume();
      await gdb.resume();
      expect(await failure(gdb.readMemory(0n, 1))).toMatchObject({ code: 'E_GDB_STATE' });
      expect(await gdb.halt()).toMatchObject({ kind: 'signal', signal: 2, thread: '01' });
      await gdb.readMemory(0n, 1);
    }
    expect(stub.interrupts).toBe(20);
    expect(stub.lost).toEqual([]);
    await gdb.resume();
    await gdb.close();
    expect(stub.running).toBe(true);
  });

  test('halt is harmless for a machine that stands, and for one that somebody else stopped meanwhile', async () => {
    const { gdb, stub } = await connected();
    expect(await gdb.halt()).toMatchObject({ signal: 5 });
    await gdb.resume();
    const stopped = gdb.waitStop(5000);
    stub.running = false;
    stub.say('T05thread:02;');
    expect(await stopped).toMatchObject({ signal: 5, thread: '02' });
    expect(gdb.state).toBe('halted');
    expect(await gdb.waitStop(5000)).toMatchObject({ thread: '02' });
    await gdb.halt();
    expect(stub.lost).toEqual([]);
    expect(stub.interrupts).toBe(0);
  });

  test('a machine that somebody else resumed is brought back by halt', async () => {
    const { gdb, stub } = await connected();
    stub.running = true;
    expect(await gdb.halt()).toMatchObject({ kind: 'signal' });
    expect(await gdb.readMemory(7n, 1)).toEqual(Uint8Array.of(7));
    expect(stub.lost).toEqual([]);
  });

  test('waitStop has a deadline and leaves the machine running', async () => {
    const { gdb, stub } = await connected();
    await gdb.resume();
    expect(await failure(gdb.waitStop(10))).toBeInstanceOf(GdbDeadlineError);
    expect([gdb.state, stub.running]).toEqual(['running', true]);
  });

  test('a machine that ends is told apart', async () => {
    const { gdb, stub } = await connected();
    await gdb.resume();
    const stopped = gdb.waitStop(5000);
    stub.say('W00');
    expect(await stopped).toMatchObject({ kind: 'exited', status: 0 });
    expect(gdb.state).toBe('exited');
    expect(await failure(gdb.resume())).toMatchObject({ code: 'E_GDB_STATE' });
    await gdb.close();
  });

  test('close detaches a halted machine, or leaves it halted when told so; repeating it is harmless', async () => {
    const first = await connected();
    await first.gdb.close();
    await first.gdb.close();
    expect(first.stub.requests.at(-1)).toBe('D');
    expect([first.stub.running, first.stub.lost]).toEqual([true, []]);
    const second = await connected();
    await second.gdb.close({ leaveHalted: true });
    expect(second.stub.requests).not.toContain('D');
    expect(await second.gdb.closed).toBeUndefined();
  });
});

describe('a bad line', () => {
  test('a damaged answer is asked for again', async () => {
    const { gdb, stub } = await connected();
    stub.send = frame => {
      stub.send = next => stub.write(next);
      const damaged = Uint8Array.from(frame);
      damaged[1] = damaged[1]! ^ 1;
      stub.write(damaged);
    };
    expect(await gdb.readMemory(3n, 1)).toEqual(Uint8Array.of(3));
    expect(stub.refusals).toBe(1);
  });

  test('an answer damaged for ever ends the connection', async () => {
    const { gdb, stub } = await connected();
    stub.send = () => stub.write('$3#00');
    expect(await failure(gdb.readMemory(3n, 1))).toBeInstanceOf(GdbProtocolError);
  });

  test('a refused request is sent again, but not for ever', async () => {
    const { gdb, stub } = await connected();
    stub.refuse = 2;
    expect(await gdb.readMemory(3n, 1)).toEqual(Uint8Array.of(3));
    stub.refuse = 10;
    expect(await failure(gdb.readMemory(3n, 1))).toBeInstanceOf(GdbProtocolError);
    expect(stub.refuse).toBe(6);
  });

  test('noise, notifications, console output and stray stop replies between answers do no harm', async () => {
    const { gdb, stub } = await connected();
    stub.send = frame => {
      stub.write(
        Buffer.concat([Buffer.from('noise%Stop:T05#8a%OK#9a'), encodePacket('O6869'), encodePacket('T05'), frame]),
      );
    };
    expect(await gdb.readMemory(3n, 1)).toEqual(Uint8Array.of(3));
    expect(await gdb.threads()).toEqual(['01']);
  });

  test('a packet beyond the bound ends the connection before its end', async () => {
    const { gdb, stub } = await connected({ maxPacketBytes: 4096 });
    stub.send = () => stub.write(`$${'0'.repeat(5000)}`);
    expect(await failure(gdb.readMemory(3n, 1))).toBeInstanceOf(GdbProtocolError);
  });
});

describe('deadlines and ends', () => {
  test('a late answer is not taken for the next one, however many there are', async () => {
    const entries: TranscriptEntry[] = [];
    const { gdb, stub } = await connected({ onTranscript: entry => entries.push(entry) });
    const held: Uint8Array[] = [];
    stub.send = frame => held.push(frame);
    expect(await failure(gdb.readMemory(1n, 1, { deadlineMs: 10 }))).toBeInstanceOf(GdbDeadlineError);
    expect(await failure(gdb.readMemory(2n, 1, { deadlineMs: 10 }))).toBeInstanceOf(GdbDeadlineError);
    expect(await failure(gdb.threads({ deadlineMs: 10 }))).toBeInstanceOf(GdbDeadlineError);
    stub.send = frame => stub.write(frame);
    for (const frame of held) stub.write(frame);
    expect(await gdb.readMemory(9n, 1)).toEqual(Uint8Array.of(9));
    expect(await gdb.threads()).toEqual(['01']);
    await gdb.close();
    expect(entries.some(e => e.note?.startsWith('dropped'))).toBe(true);
  });

  test('a call behind one that hangs has its own deadline', async () => {
    const { gdb, stub } = await connected();
    stub.send = () => {};
    const hanging = failure(gdb.readMemory(1n, 1, { deadlineMs: 5000 }));
    expect(await failure(gdb.readMemory(2n, 1, { deadlineMs: 10 }))).toMatchObject({
      code: 'E_GDB_DEADLINE',
      message: expect.stringMatching(/^no turn for/) as string,
    });
    stub.socket.destroy();
    expect(await hanging).toBeInstanceOf(GdbClosedError);
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])('a deadline of %s is refused', async deadlineMs => {
    const { gdb } = await connected();
    expect(await failure(gdb.threads({ deadlineMs }))).toBeInstanceOf(UsageError);
    await gdb.close();
  });

  test('a peer that leaves ends every call and every wait', async () => {
    const { gdb, stub } = await connected();
    await gdb.resume();
    const waiting = failure(gdb.waitStop(60_000));
    stub.socket.destroy();
    expect(await waiting).toBeInstanceOf(GdbClosedError);
    expect(await gdb.closed).toBeInstanceOf(GdbClosedError);
    await gdb.close();
  });

  test('aborting closes without detaching', async () => {
    const abort = new AbortController();
    const { gdb, stub } = await connected({ signal: abort.signal });
    abort.abort();
    expect(await gdb.closed).toBeInstanceOf(GdbClosedError);
    expect(stub.requests).not.toContain('D');
  });

  test('the transcript has every packet; what its hook throws is ignored', async () => {
    const entries: TranscriptEntry[] = [];
    const { gdb } = await connected({
      onTranscript: entry => {
        entries.push(entry);
        throw new Error('hook');
      },
    });
    await gdb.readMemory(5n, 1);
    await gdb.resume();
    await gdb.halt();
    const last = entries.map(e => `${e.direction} ${e.payload}`).slice(-7);
    expect(last).toEqual([
      'send m5,1',
      'receive 05',
      'send vCont;c',
      'send ^C',
      'send ?',
      'receive T02thread:01;',
      'receive T05thread:01;',
    ]);
    expect(entries.every((e, i) => i === 0 || e.t >= entries[i - 1]!.t)).toBe(true);
  });
});

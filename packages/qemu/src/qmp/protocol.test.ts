import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { QmpNegotiationError, QmpProtocolError } from './errors.ts';
import { type Incoming, IN_FLIGHT_WINDOW, QmpProtocol } from './protocol.ts';

const GREETING =
  '{"QMP": {"version": {"qemu": {"major": 11, "minor": 1, "micro": 3}, "package": ""}, "capabilities": ["oob"]}}';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function say(protocol: QmpProtocol, ...lines: string[]): Incoming[] {
  return [...protocol.receive(bytesOf(lines.map(l => `${l}\r\n`).join('')))];
}

function greeted(): QmpProtocol {
  const protocol = new QmpProtocol();
  say(protocol, GREETING);
  return protocol;
}

const answer = (id: string, value: unknown = {}): string => JSON.stringify({ return: value, id });

describe('answers', () => {
  test('belong to their command, whatever their order', () => {
    const ids = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 });
    fc.assert(
      fc.property(ids, order => {
        const protocol = greeted();
        const calls = order.map((_, i) => protocol.submit(`command-${i}`, undefined));
        protocol.takeSendable();
        const got = say(protocol, ...order.map(i => answer(calls[i]!, i)));
        expect(got.map(g => g.kind === 'answer' && [g.command, g.outcome])).toEqual(
          order.map(i => [`command-${i}`, { ok: true, value: i }]),
        );
      }),
    );
  });

  test('an error answers its command', () => {
    const protocol = greeted();
    const id = protocol.submit('nope', undefined);
    protocol.takeSendable();
    const [got] = say(
      protocol,
      `{"id": "${id}", "error": {"class": "CommandNotFound", "desc": "The command nope has not been found"}}`,
    );
    expect(got).toMatchObject({
      kind: 'answer',
      id,
      outcome: { ok: false, error: { class: 'CommandNotFound', command: 'nope' } },
    });
  });

  test.each(['"other-1"', '1', '18446744073709551615', 'null', '{}', '["x"]'])(
    'to the unknown id %s are dropped',
    id => {
      expect(say(greeted(), `{"return": {}, "id": ${id}}`)[0]?.kind).toBe('dropped');
    },
  );

  test('given twice, or before the command was sent, are dropped', () => {
    const protocol = greeted();
    const id = protocol.submit('stop', undefined);
    expect(say(protocol, answer(id))[0]?.kind).toBe('dropped');
    protocol.takeSendable();
    expect(say(protocol, answer(id), answer(id)).map(i => i.kind)).toEqual(['answer', 'dropped']);
  });

  test('that come late are dropped and free the window', () => {
    const protocol = greeted();
    const ids = Array.from({ length: IN_FLIGHT_WINDOW + 1 }, () => protocol.submit('stop', undefined));
    expect(protocol.takeSendable()).toHaveLength(IN_FLIGHT_WINDOW);
    expect(protocol.abandon(ids[0]!)).toBe(true);
    expect(protocol.takeSendable()).toEqual([]);
    expect(say(protocol, answer(ids[0]!))[0]).toMatchObject({
      kind: 'dropped',
      note: "dropped: late answer to 'stop'",
    });
    expect(protocol.takeSendable().map(s => s.id)).toEqual([ids[IN_FLIGHT_WINDOW]]);
  });

  test.each([
    ['an error without id', '{"error": {"class": "GenericError", "desc": "JSON parse error, stray"}}'],
    ['a return without id', '{"return": {}}'],
  ])('%s fails the connection, and nothing is read after it', (_what, line) => {
    const protocol = greeted();
    const got = say(protocol, line, '{"event": "STOP"}');
    expect(got).toHaveLength(1);
    expect(got[0]?.kind === 'failure' && got[0].error).toBeInstanceOf(QmpProtocolError);
    expect(say(protocol, '{"event": "STOP"}')).toEqual([]);
  });
});

describe('the greeting', () => {
  test.each(['{"event": "STOP"}', '{"return": {}, "id": "x"}', 'SSH-2.0-OpenSSH_9.2', '{"QMP": 1}'])(
    'is not %s',
    line => {
      const [got] = say(new QmpProtocol(), line);
      expect(got?.kind === 'failure' && got.error).toBeInstanceOf(QmpNegotiationError);
    },
  );

  test('of a human monitor is recognised', () => {
    const [got] = say(new QmpProtocol(), "QEMU 11.1.3 monitor - type 'help' for more information");
    expect(got?.kind === 'failure' && got.error.hint).toMatch(/mode=control/);
  });

  test('comes once', () => {
    expect(say(greeted(), GREETING)[0]?.kind).toBe('failure');
  });
});

describe('sending', () => {
  test('an argument that JSON lacks is refused before anything is registered', () => {
    const protocol = greeted();
    expect(() => protocol.submit('qom-set', { value: Number.NaN })).toThrow(TypeError);
    expect(protocol.takeSendable()).toEqual([]);
  });

  test('a u64 goes out as digits, on one line', () => {
    const protocol = greeted();
    protocol.submit('qom-set', { value: 18446744073709551615n, text: 'a\nb' });
    const line = protocol.takeSendable()[0]!.line;
    expect(line).toContain('"value":18446744073709551615');
    expect(line.indexOf('\n')).toBe(line.length - 1);
  });

  test('ids of two connections differ', () => {
    expect(new QmpProtocol().submit('stop', undefined)).not.toBe(new QmpProtocol().submit('stop', undefined));
  });

  test('calls are bounded', () => {
    const protocol = greeted();
    for (let i = 0; i < 1024; i++) protocol.submit('stop', undefined);
    expect(() => protocol.submit('stop', undefined)).toThrow(/1024 commands/);
  });

  test('the window, the order and the end of every call hold for any interleaving', () => {
    type Step = 'submit' | 'oob' | 'send' | 'answer' | 'abandon' | 'event';
    const step = fc.constantFrom<Step>('submit', 'submit', 'oob', 'send', 'answer', 'answer', 'abandon', 'event');
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.nat()), { maxLength: 200 }), steps => {
        const protocol = greeted();
        const oob = new Set<string>();
        const queued: string[] = [];
        const sent: string[] = [];
        const abandoned = new Set<string>();
        const wrong: string[] = [];
        const check = (holds: boolean, law: string): void => void (holds || wrong.push(law));
        const inBand = (): string[] => sent.filter(id => !oob.has(id));
        for (const [what, n] of steps) {
          if (what === 'submit' || what === 'oob') {
            const id = protocol.submit('x', undefined, what === 'oob');
            if (what === 'oob') oob.add(id);
            queued.push(id);
          } else if (what === 'send') {
            for (const { id } of protocol.takeSendable()) {
              check(oob.has(id) || id === queued.find(q => !oob.has(q)), 'in-band commands go out in order');
              queued.splice(queued.indexOf(id), 1);
              sent.push(id);
            }
            check(!queued.some(id => oob.has(id)), 'out-of-band commands do not wait');
          } else if (what === 'abandon' && sent.length + queued.length > 0) {
            const all = [...sent, ...queued];
            const id = all[n % all.length]!;
            check(protocol.abandon(id) === sent.includes(id), 'abandon tells whether it was sent');
            if (sent.includes(id)) abandoned.add(id);
            else queued.splice(queued.indexOf(id), 1);
          } else if (what === 'answer' && sent.length > 0) {
            const [id] = sent.splice(n % sent.length, 1);
            const kind = say(protocol, answer(id!))[0]?.kind;
            check(kind === (abandoned.has(id!) ? 'dropped' : 'answer'), 'only abandoned calls lose their answer');
          } else if (what === 'event') {
            check(say(protocol, '{"event": "STOP"}')[0]?.kind === 'event', 'events pass');
          }
          check(inBand().length <= IN_FLIGHT_WINDOW, 'the window holds');
          check(protocol.executing() === inBand()[0], 'the oldest sent in-band command is executing');
        }
        expect(wrong).toEqual([]);
      }),
    );
  });
});

describe('receiving', () => {
  test('any bytes after the greeting give messages and at most one failure, which is the last', () => {
    const junk = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .constantFrom('\r\n', '{"event": "STOP"}\r\n', '{"return": {}, "id": 1}\n', '{', '}', '\u0001', '{"a"', '"')
        .map(bytesOf),
    );
    fc.assert(
      fc.property(fc.array(junk, { maxLength: 30 }), chunks => {
        const protocol = greeted();
        const got = chunks.flatMap(chunk => [...protocol.receive(chunk)]);
        const failure = got.findIndex(g => g.kind === 'failure');
        expect(failure === -1 || failure === got.length - 1).toBe(true);
      }),
    );
  });

  test('an unfinished message is told at the end', () => {
    const protocol = greeted();
    expect(protocol.unfinished()).toBeUndefined();
    expect([...protocol.receive(bytesOf('{"return": {"sta'))]).toEqual([]);
    expect(protocol.unfinished()).toEqual({ bytes: 16, start: '{"return": {"sta' });
  });
});

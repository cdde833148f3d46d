import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AgentClient } from './client.ts';
import type { AgentClientOptions } from './client.ts';
import { AgentClosedError, AgentDeadlineError, AgentError, AgentProtocolError } from './errors.ts';

const READY = 'E ready version=1.0.0 proto=1 kernel=7.2.12 arch=x86_64 boot=0b1e cpus=2 pid1=1 t=5\n';

/** A client and the far end of its stream; `answer` sees each request without its line feed. */
function pair(
  answer: (request: string, far: Duplex) => void = () => {},
  options: AgentClientOptions = {},
): { client: AgentClient; far: Duplex } {
  const [near, far] = duplexPair();
  let text = '';
  far.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    for (let lf = text.indexOf('\n'); lf !== -1; lf = text.indexOf('\n')) {
      const line = text.slice(0, lf);
      text = text.slice(lf + 1);
      if (line !== '') answer(line, far);
    }
  });
  return { client: new AgentClient(near, options), far };
}

const idOf = (request: string): string => request.split(' ')[0] ?? '';

/** Resolves when everything written so far has arrived. */
const settled = (): Promise<void> => new Promise(resolve => setImmediate(() => setImmediate(resolve)));

describe('agent client', () => {
  test('ready comes from the event, also one that came before', async () => {
    const { client, far } = pair();
    far.write(READY);
    await settled();
    expect(await client.ready(1000)).toMatchObject({ kernel: '7.2.12', cpus: 2, pid1: true });
    expect(client.lastSeq).toBe(1);
  });

  test('ready asks when nothing came', async () => {
    const asked: string[] = [];
    const { client } = pair((request, far) => {
      asked.push(request.split(' ')[1] ?? '');
      far.write(`R ${idOf(request)} ok version=1.0.0 proto=1 kernel=k arch=a boot=0b1e cpus=1 pid1=1 t=5\n${READY}`);
    });
    await client.ready(1000);
    expect(asked).toEqual(['hello']);
    await settled();
    expect(client.diagnostics.size).toBe(0);
  });

  test('another protocol version is refused', async () => {
    const { client, far } = pair();
    far.write(READY.replace('proto=1', 'proto=2'));
    await expect(client.ready(1000)).rejects.toThrow(AgentProtocolError);
  });

  test('fields are typed, data lines come with the reply, pieces are joined', async () => {
    const { client } = pair((request, far) => {
      const id = idOf(request);
      far.write(`D ${id} %20one\nC ${id} two%e2%82\nC ${id} %ac\nD ${id} !\n`);
      far.write(`R ${id} ok bytes=9 truncated=0 newline=1 t=18446744073709551615\n`);
    });
    const reply = await client.call('read', { path: '/x' });
    expect(reply).toEqual({
      bytes: 9,
      truncated: false,
      newline: true,
      t: 0xffffffffffffffffn,
      data: [' one', 'two€!'],
    });
  });

  test('an error reply is an AgentError with the errno', async () => {
    const { client } = pair((request, far) => far.write(`R ${idOf(request)} err ESRCH no%20such%1b[2J t=1\n`));
    const error = await client.call('touch', { proc: 'v', id: 'a' }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(AgentError);
    expect(error).toMatchObject({ code: 'E_GUEST_AGENT', errno: 'ESRCH', command: 'touch' });
    expect((error as Error).message).not.toContain('\x1b');
  });

  test('a reply without a required field is a protocol error', async () => {
    const { client } = pair((request, far) => far.write(`R ${idOf(request)} ok t=1\n`));
    await expect(client.call('spawn', { name: 'v' })).rejects.toThrow('field proc');
  });

  test('the agent gets a shorter deadline than the caller', async () => {
    let seen = '';
    const { client } = pair((request, far) => {
      seen = request;
      far.write(`R ${idOf(request)} ok t=1\n`);
    });
    await client.call('sync', {}, { deadlineMs: 1000 });
    expect(seen).toMatch(/^\d+ sync timeout-ms=800$/);
  });

  test('silence ends in AgentDeadlineError; a late answer does no harm', async () => {
    let late = '';
    const { client, far } = pair(request => (late = `R ${idOf(request)} ok iterations=1 t=1\n`));
    await expect(client.call('stop', { proc: 'v' }, { deadlineMs: 20 })).rejects.toThrow(AgentDeadlineError);
    far.write(late);
    await settled();
    expect(client.diagnostics.size).toBe(0);
  });

  test('the end of the stream ends calls and waits', async () => {
    const { client, far } = pair(() => far.end());
    const waiting = client.nextEvent(() => true);
    await expect(client.call('sync', {})).rejects.toThrow(AgentClosedError);
    await expect(waiting).rejects.toThrow(AgentClosedError);
    await expect(client.call('sync', {})).rejects.toThrow(AgentClosedError);
    expect(client.closed).toBe(true);
  });

  test('an event that came before the wait is found by its number', async () => {
    const { client, far } = pair();
    far.write('E exit proc=v pid=7 status=signaled signo=9 signal=SIGKILL t=1\n');
    await settled();
    const event = await client.nextEvent(e => e.name === 'exit', { after: 0 });
    expect(event).toMatchObject({ seq: 1, t: 1n, fields: { proc: 'v', signal: 'SIGKILL' } });
    await expect(client.nextEvent(e => e.name === 'exit', { deadlineMs: 10 })).rejects.toThrow(AgentDeadlineError);
  });

  test('a flood of events is thinned and counted', async () => {
    const { client, far } = pair(undefined, { limits: { eventsPerSecond: 1, eventBurst: 10 }, clock: () => 0 });
    let seen = 0;
    client.onEvent(() => seen++);
    far.write('E dropped lines=1 t=1\n'.repeat(500));
    await settled();
    expect(seen).toBe(10);
    expect(client.diagnostics.get('event-flood')).toBe(490);
  });

  test('a reply with more data than allowed fails, and its data is not kept', async () => {
    const { client } = pair(
      (request, far) => {
        const id = idOf(request);
        far.write(`D ${id} ${'x'.repeat(1000)}\n`.repeat(50));
        far.write(`R ${id} ok bytes=1 truncated=0 newline=1 t=1\n`);
      },
      { limits: { dataBytes: 5000 } },
    );
    await expect(client.call('read', { path: '/x' })).rejects.toThrow('5000 bytes');
    expect(client.diagnostics.get('data-too-long')).toBe(1);
  });

  test('wrong ids, garbage and long lines are counted, reported within a bound, and harm nothing', async () => {
    const reported: string[] = [];
    const { client, far } = pair((request, end) => end.write(`R ${idOf(request)} ok t=1\n`), {
      limits: { diagnostics: 3 },
      onDiagnostic: d => reported.push(`${d.code} ${d.message}`),
    });
    far.write('R 999 ok t=1\nD 998 x\nR 0 err EPROTO bad t=1\n\x1b[31mE ready\nE nonsense t=1\nE exit t=1\n');
    far.write(`${'A'.repeat(100_000)}\n`);
    await client.call('sync', {});
    expect(Object.fromEntries(client.diagnostics)).toEqual({
      'unexpected-reply': 2,
      'rejected-line': 1,
      'not-a-line': 1,
      'bad-event': 2,
      'line-too-long': 1,
    });
    expect(reported.length).toBe(3);
  });

  test('no bytes from the guest break it', async () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom('R 1 ok\n', 'D 1 x\n', 'E signal\n', '\n', 'C 2 %', 'R 2 err E t=\n').map(s => Buffer.from(s)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 20 }), async pieces => {
        const { client, far } = pair();
        const call = client.call('sync', {}, { deadlineMs: 5000 }).catch((e: unknown) => e);
        for (const bytes of pieces) far.write(bytes);
        await settled();
        client.close();
        const result = await call;
        expect(result instanceof Error ? result.name : 'reply').toMatch(/^(Agent(Closed|Protocol|)Error|reply)$/);
      }),
      { numRuns: 200 },
    );
  });

  test('more requests than allowed are refused here', async () => {
    const { client } = pair(undefined, { limits: { inFlight: 2 } });
    const first = client.call('sync', {}).catch((e: unknown) => e);
    const second = client.call('sync', {}).catch((e: unknown) => e);
    await expect(client.call('sync', {})).rejects.toThrow(AgentProtocolError);
    client.close();
    expect(await first).toBeInstanceOf(AgentClosedError);
    expect(await second).toBeInstanceOf(AgentClosedError);
  });
});

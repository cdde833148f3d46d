import { describe, expect, test } from 'vitest';
import type { Said } from '../core/said.ts';
import { keepReading, Stalled } from './reconnect.ts';

/** Runs sessions, one function each, and ends with the last. */
async function run(sessions: ((up: (lost?: number) => void) => void)[]): Promise<Said[]> {
  const said: Said[] = [];
  const end = new AbortController();
  let n = 0;
  const session = async ({ up }: { up: (lost?: number) => void }): Promise<void> => {
    const one = sessions[n++];
    if (one === undefined) end.abort();
    else one(up);
  };
  await keepReading({ source: 'qmp', vm: 'a' }, session, s => said.push(s), end.signal, { firstMs: 1, longestMs: 2 });
  return said;
}
const states = (said: Said[]): unknown[] => said.map(s => (s.kind === 'source' ? s.state : s.kind));

describe('keepReading', () => {
  test('says reading, lost, back', async () => {
    const said = await run([
      up => up(),
      () => {
        throw new Error('refused');
      },
      up => up(3),
    ]);
    expect(states(said)).toEqual(['reading', 'lost', 'back', 'lost']);
    expect(said[2]).toMatchObject({ source: 'qmp', vm: 'a', lostEvents: 3, gapMs: expect.any(Number) });
  });

  test('says once that it cannot come up, with the reason cut', async () => {
    const fail = (): void => {
      throw new Error('x'.repeat(1000));
    };
    const said = await run([fail, fail, fail, up => up()]);
    expect(states(said)).toEqual(['lost', 'back', 'lost']);
    expect(said[0]).toMatchObject({ reason: 'x'.repeat(256) });
  });

  test('a peer that was not there and then hangs is told once more, and once only', async () => {
    const fail = (error: Error) => (): void => {
      throw error;
    };
    const [refused, hangs] = [fail(new Error('refused')), fail(new Stalled('no greeting'))];
    const said = await run([refused, hangs, refused, hangs, up => up()]);
    expect(states(said)).toEqual(['lost', 'stalled', 'back', 'lost']);
  });

  test('a loss that was told under another name is ended under it', async () => {
    const said: Said[] = [];
    const end = new AbortController();
    const of: { source: 'qmp'; vm?: string } = { source: 'qmp', vm: 'socket' };
    let n = 0;
    const session = async ({ up }: { up: () => void }): Promise<void> => {
      if (n++ === 0) throw new Error('refused');
      of.vm = 'name';
      up();
      end.abort();
    };
    await keepReading(of, session, s => said.push(s), end.signal, { firstMs: 1 });
    expect(said.map(s => s.kind === 'source' && `${s.vm} ${s.state}`)).toEqual([
      'socket lost',
      'socket ended',
      'name back',
    ]);
  });

  test('returns at once when it is aborted in a pause, and says nothing of it', async () => {
    const said: Said[] = [];
    const end = new AbortController();
    const session = async (): Promise<void> => {
      setImmediate(() => end.abort());
    };
    await keepReading({ source: 'vmm' }, session, s => said.push(s), end.signal, { firstMs: 60_000 });
    expect(states(said)).toEqual(['lost']);
  });
});

import { describe, expect, test } from 'vitest';
import type { Said } from '../core/said.ts';
import { Keeper } from './keeper.ts';
import type { Sink, Source } from './source.ts';

/** A source that does what it is told. */
class Puppet implements Source {
  readonly name = 'qmp';
  readonly vm = 'web';
  sink: Sink = () => undefined;
  pulse = (): void => undefined;
  runs = 0;

  run(sink: Sink, signal: AbortSignal, pulse: () => void): Promise<void> {
    this.runs++;
    this.sink = sink;
    this.pulse = pulse;
    return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));
  }
}

function keep(stallMs = 1000): { puppet: Puppet; keeper: Keeper; said: Said[] } {
  const said: Said[] = [];
  const puppet = new Puppet();
  return { puppet, keeper: new Keeper(puppet, s => said.push(s), stallMs), said };
}

/** The source runs when those before it have ended. */
async function begin(keeper: Keeper, now: number): Promise<void> {
  keeper.start(now);
  await Promise.resolve();
}

describe('Keeper', () => {
  test('a source without a sign of life is said once, and its return with the gap', async () => {
    const { puppet, keeper, said } = keep();
    const now = performance.now();
    await begin(keeper, now);
    keeper.tick(now + 900);
    expect(said).toEqual([]);
    keeper.tick(now + 1100);
    keeper.tick(now + 5000);
    expect(said).toMatchObject([{ source: 'qmp', vm: 'web', state: 'stalled' }]);
    puppet.pulse();
    keeper.tick(now + 6000);
    expect(said.slice(1)).toMatchObject([{ state: 'back', gapMs: 6000 }]);
  });

  test('one that has said it is lost is not said to be stalled too', async () => {
    const { puppet, keeper, said } = keep();
    const now = performance.now();
    await begin(keeper, now);
    puppet.sink({ kind: 'source', source: 'qmp', vm: 'web', state: 'lost' });
    keeper.tick(now + 50_000);
    puppet.sink({ kind: 'source', source: 'qmp', vm: 'web', state: 'back', gapMs: 5 });
    keeper.tick(now + 50_500);
    expect(said.map(s => s.kind === 'source' && s.state)).toEqual(['lost', 'back']);
    keeper.tick(now + 52_000);
    expect(said.at(-1)).toMatchObject({ state: 'stalled' });
  });

  test('of many VMs one that is lost does not hide that the source shows no sign of life', async () => {
    const { puppet, keeper, said } = keep();
    const now = performance.now();
    await begin(keeper, now);
    puppet.sink({ kind: 'source', source: 'qmp', state: 'reading' });
    puppet.sink({ kind: 'source', source: 'qmp', vm: 'db', state: 'lost' });
    keeper.tick(now + 2000);
    expect(said.at(-1)).toMatchObject({ state: 'stalled' });
  });

  test('stopped for the spool it says the gap when it starts again', async () => {
    const { puppet, keeper, said } = keep();
    await begin(keeper, 0);
    await keeper.stop(1000, true);
    await keeper.stop(2000, true);
    await begin(keeper, 5000);
    expect(puppet.runs).toBe(2);
    expect(said).toEqual([
      { kind: 'source', source: 'qmp', vm: 'web', state: 'back', gapMs: 4000, reason: 'the spool was full' },
    ]);
    await keeper.stop(6000);
    await begin(keeper, 7000);
    expect(said).toHaveLength(1);
    await keeper.stop(8000);
  });
});

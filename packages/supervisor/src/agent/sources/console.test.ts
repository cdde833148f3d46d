import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Said, SeenEvent } from '../../core/said.ts';
import { ACTS, Scene } from '../../core/testing/scene.ts';
import { parseRow, rowLine } from '../../wire/row.ts';
import { ConsoleSource, type ConsoleOptions } from './console.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'console-'));
  path = join(folder, 'console.log');
  writeFileSync(path, 'Linux version 1.0 of a boot before\n');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What is told while something writes: a text each time that everything was read. */
async function told(texts: readonly (string | (() => string))[], options: ConsoleOptions = {}): Promise<Said[]> {
  const said: Said[] = [];
  const end = new AbortController();
  let pulses = 0;
  const pulse = (): void => {
    // The first is of the file being open.
    if (pulses++ === 0) return;
    const text = texts[pulses - 2];
    if (text === undefined) end.abort();
    else appendFileSync(path, typeof text === 'string' ? text : text());
  };
  await new ConsoleSource('web', path, { pollMs: 5, ...options }).run(s => void said.push(s), end.signal, pulse);
  return said;
}
const events = (said: readonly Said[]): SeenEvent[] => said.flatMap(s => (s.kind === 'event' ? [s] : []));

/** As the AMD guest of the thread writes it, and what any guest writes besides. */
const AMD = `[    0.000000] Linux version 6.19.6+deb13-cloud-amd64 (debian-kernel@lists.debian.org) #1 SMP
[   41.803] mce: MSR access error: WRMSR to 0xc0002098 (tried to write 0x0000000000000000) at rIP: 0xffffffff8229894d (mce_wrmsrq+0x1d/0x60)
[   41.804] Call Trace:
[   41.805]  amd_clear_bank+0x6e/0x70
[   41.900] Kernel panic - not syncing: MCA architectural violation!
`;

describe('ConsoleSource', () => {
  test('tells what people want to know of a guest, from where the agent came on, and nothing else', async () => {
    const said = await told([`login: \r\n${AMD}`]);
    expect(said[0]).toEqual({ kind: 'source', source: 'console', vm: 'web', state: 'reading' });
    expect(events(said).map(e => [e.source, e.vm, e.event.name])).toEqual([
      ['console', 'web', 'guest.boot'],
      ['console', 'web', 'guest.msr-error'],
      ['console', 'web', 'guest.panic'],
    ]);
    expect(events(said)[1]?.event.fields).toMatchObject({ access: 'WRMSR', msr: 0xc0002098n });
    expect(said).toHaveLength(4);
  });

  test('a guest that floods is told of in few words, and its next word after a while again', async () => {
    let now = 0;
    const panics = Array.from({ length: 500 }, (_, i) => `Kernel panic - not syncing: ${i}\n`).join('');
    const later = (): string => {
      now = 30_000;
      return 'Kernel panic - not syncing: later\nKernel panic - not syncing: too much\n';
    };
    const said = await told([panics, 'Linux version 7.0\n', later], { now: () => now });
    expect(events(said).map(e => e.event.name)).toEqual([
      ...Array<string>(8).fill('guest.panic'),
      'guest.boot',
      'guest.panic',
    ]);
    expect(events(said).at(-1)?.event.fields).toEqual({ message: 'later' });
    expect(said.filter(s => s.kind === 'source').slice(1)).toEqual([
      expect.objectContaining({ source: 'console', state: 'back', gapMs: 0, lostEvents: 492 }),
    ]);
  });

  test('what is not even read is told as a gap of unknown size', async () => {
    const said = await told(['x\n'.repeat(100_000)], { bytesPerSecond: 65_536 });
    expect(said[1]).toEqual({
      kind: 'source',
      source: 'console',
      vm: 'web',
      state: 'back',
      gapMs: 0,
      reason: 'the guest writes more than is read of a console',
    });
  });
});

const STOP_ALL = 'Kernel panic - not syncing: stop all VMs of this host';
/** Lines of a host's kernel and of QEMU that a guest may print as well. */
const FORGED = [
  'Memory failure: 0x1234: recovery action for slab page: Failed',
  'Memory failure: 0x1234: Sending SIGBUS to qemu-system-x86:4711 due to hardware memory corruption',
  'mce: [Hardware Error]: CPU 0: Machine Check: 0 Bank 9: bd000000000000c0',
  'mce: Uncorrected hardware memory error in user-access at 1234000',
  'EDAC MC0: 1 UE memory read error on CPU_SrcID#0 (channel:0 slot:0 page:0x1234 offset:0x0 grain:32)',
  'qemu-system-x86_64: Guest MCE Memory Error at QEMU addr 0x7f1200300000 and GUEST addr 0x300000 of type BUS_MCEERR_AR injected',
  '{"event": "MEMORY_FAILURE", "data": {"recipient": "guest", "action": "inject", "flags": {"action-required": true}}}',
  '{"event": "GUEST_PANICKED", "data": {"action": "pause"}}',
  STOP_ALL,
  ...AMD.split('\n'),
];

describe('what a guest writes, on its way through agent and core', () => {
  test('makes no page, no incident, no notice and no act, whatever it says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...FORGED), { maxLength: 40 }), async lines => {
        writeFileSync(path, '');
        const said = await told([`${lines.join('\n')}\n`]);
        // The most eager policy: any error, any consequence.
        const scene = new Scene({
          ...ACTS,
          rules: ACTS.rules.map(r => ('when' in r && r.name === 'third' ? { ...r, when: { errors: 1 } } : r)),
        } as typeof ACTS);
        scene.host('a');
        scene.host('b');
        scene.vm('a', 'web');
        const before = scene.effects.length;
        for (const [i, one] of said.entries())
          scene.say('a', parseRow(rowLine({ seq: i + 1, at: scene.now, said: one }), 'a', 's').said);
        scene.pass(30);
        expect(scene.effects.slice(before).filter(e => e.effect !== 'decision')).toEqual([]);
        expect(scene.state.incidents.size).toBe(0);
        // It did arrive: as words.
        const words =
          scene.state.vms
            .get('web')
            ?.said.map(r => r.text)
            .join() ?? '';
        if (lines.at(-1) === STOP_ALL) expect(words).toContain('stop all VMs');
        expect(scene.state.hosts.get('a')?.pages.size).toBe(0);
      }),
      { numRuns: 25 },
    );
  });
});

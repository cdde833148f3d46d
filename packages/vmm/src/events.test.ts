import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { classifyArm } from '@syndrome/decode/arm/classify.ts';
import { EventWriter } from './events.ts';
import { MAX_QUARANTINED, SharedBlock } from './shared.ts';

const STARTED = {
  pid: 1,
  api: 12,
  memory: { gpa: 0n, bytes: 0n, hva: 0n },
  kernel: { gpa: 0n, bytes: 0n },
  bootargs: '',
};

const folder = mkdtempSync(join(tmpdir(), 'vmm-events-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('EventWriter', () => {
  test('writes one line per event: numbered, timed, 64-bit values as hex', () => {
    const path = join(folder, 'events');
    const fd = openSync(path, 'w');
    const shared = new SharedBlock();
    new EventWriter(fd, 'vm7', shared).emit({
      event: 'arm-sea',
      vcpu: 0,
      pc: 0x400ab8n,
      el: 0,
      flags: 0n,
      esr: 0x92000017n,
      syndrome: classifyArm({ esr: 0x92000017n }),
      gva: { valid: true, value: 0xffff_8da0_3456n },
      gpa: { valid: true, value: 0x4440_3456n, source: 'stage1-walk', certain: false },
      hva: { valid: false },
      hpa: { valid: false },
      action: 'inject-data-abort',
      quarantine: 'not-certain',
    });
    // Another thread's writer over the same block goes on counting.
    new EventWriter(fd, 'vm7', new SharedBlock(shared.buffer)).emit({ event: 'control-refused', reason: 'no' });
    closeSync(fd);
    const lines = readFileSync(path, 'utf8').split('\n');
    expect(lines.length).toBe(3);
    const [first, second] = lines.slice(0, 2).map(line => JSON.parse(line) as Record<string, unknown>);
    expect(first).toMatchObject({
      v: 1,
      seq: 1,
      vm: 'vm7',
      t_ns: expect.stringMatching(/^0x[0-9a-f]{16}$/),
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      esr: '0x0000000092000017',
      gpa: { valid: true, value: '0x0000000044403456', source: 'stage1-walk' },
      syndrome: { class: 'sea-walk', access: 'read', from: 'lower', walkLevel: 3 },
    });
    expect(second).toMatchObject({ seq: 2, event: 'control-refused' });
  });
});

/** What the type check tries, and no run: each is no event of the catalogue, or not all of one. */
type Event = Parameters<EventWriter['emit']>[0];
const refused: readonly Event[] = [
  // @ts-expect-error: no such name
  { event: 'no-such-event', reason: 'x' },
  // @ts-expect-error: no such member
  { event: 'control-refused', reason: 'x', because: 'y' },
  // @ts-expect-error: the catalogue has a field pages
  { event: 'stopped', reason: 'x', errors: 0 },
  // @ts-expect-error: the catalogue has a field seaEnabled, the member enabled of sea
  { event: 'started', vcpus: 1, sea: { capability: 1 }, ms: 1, ...STARTED },
];
void refused;

describe('SharedBlock', () => {
  test('quarantined ranges are seen through every view, up to a bound', () => {
    const a = new SharedBlock();
    const b = new SharedBlock(a.buffer);
    expect(a.addQuarantined({ gpa: 0x4440_3000n, size: 0x1000n })).toBe(true);
    expect([0x4440_2fffn, 0x4440_3000n, 0x4440_3fffn, 0x4440_4000n].map(gpa => b.isQuarantined(gpa))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    let added = 1;
    while (a.addQuarantined({ gpa: 0n, size: 0n })) added++;
    expect(added).toBe(MAX_QUARANTINED);
    expect(b.isQuarantined(0n)).toBe(false);
  });

  test('the words of one vCPU are not those of another', () => {
    const block = new SharedBlock();
    block.vcpu(0).order(1);
    block.vcpu(1).enter(3);
    expect([block.vcpu(0).command, block.vcpu(0).state, block.vcpu(1).command, block.vcpu(1).state]).toEqual([
      1, 0, 0, 3,
    ]);
  });
});

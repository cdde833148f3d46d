/** The lines Linux prints in cases that no scenario of the lab reaches. */
import { describe, expect, it } from 'vitest';
import { encodeEsr } from '../arm/encode.ts';
import type { CperRecord } from '../cper/record.ts';
import type { OutlookContext } from './context.ts';
import { predict } from './predict.ts';
import type { OutlookRecord } from './record.ts';
import { cper } from './testing/records.ts';

const arm = (more: Partial<OutlookContext> = {}): OutlookContext => ({
  consumer: 'linux',
  version: '7.2.12',
  sigbusHandler: false,
  panicOnOops: false,
  apeiClaims: false,
  running: 'kernel',
  ...more,
});
const printed = (record: OutlookRecord, context: OutlookContext): string =>
  predict(record, context).messages.join('\n');
const abort = (dfsc: number): OutlookRecord => ({
  kind: 'arm-sea',
  esr: encodeEsr({ ec: 'DABT_CUR', il: true, iss: BigInt(dfsc) }),
});

describe('an abort of the kernel', () => {
  it('is named as fault_info of arch/arm64/mm/fault.c has it', () => {
    const name = (dfsc: number): string =>
      /Internal error: (.*): [0-9a-f]{16} \[#1\]/.exec(printed(abort(dfsc), arm()))?.[1] ?? '';
    expect(name(0x10)).toBe('synchronous external abort');
    expect(name(0x13)).toBe('level -1 (translation table walk)');
    expect(name(0x17)).toBe('level 3 (translation table walk)');
    expect(name(0x18)).toBe('synchronous parity or ECC error');
    expect(name(0x1d)).toBe('level 1 synchronous parity error (translation table walk)');
  });

  it('is a panic of the idle task', () => {
    expect(printed(abort(0x10), arm({ running: 'idle' }))).toContain('Attempted to kill the idle task!');
  });
});

describe('a firmware record', () => {
  const ghes = (more: Partial<OutlookContext> = {}): OutlookContext =>
    arm({ delivery: 'ghes-notify', running: 'user', ...more });
  const typed = (errorType: number): CperRecord => {
    const record = cper('corrected');
    const [section] = record.sections;
    if (section === undefined) throw new Error('no section');
    return { ...record, sections: [{ ...section, body: { kind: 'memory', errorType } }] };
  };

  it("has its error type in the kernel's words", () => {
    expect(printed(typed(3), ghes())).toContain('error_type: 3, multi-bit ECC');
    expect(printed(typed(11), ghes())).toContain('error_type: 11, mirror Broken');
    expect(printed(typed(15), ghes())).toContain('error_type: 15, physical memory map-out event');
    expect(printed(typed(16), ghes())).toContain('error_type: 16, unknown');
  });

  it('of a type Linux does not know is named by its GUID', () => {
    const record: CperRecord = {
      kind: 'cper',
      severity: 'none',
      sections: [
        {
          type: '91335ef6-ebfb-4478-a6a6-88b728cf75d7',
          severity: 'none',
          revision: 0x300,
          flags: 0,
          body: { kind: 'raw', data: new Uint8Array() },
        },
      ],
    };
    const text = printed(record, ghes());
    expect(text).toContain('event severity: info');
    expect(text).toContain('section type: unknown, 91335ef6-ebfb-4478-a6a6-88b728cf75d7');
  });

  it('behind an abort of the kernel ends the task or the system', () => {
    const of = (more: Partial<OutlookContext>) => predict(cper('recoverable'), arm({ delivery: 'ghes-sea', ...more }));
    const killed = of({ running: 'kernel' });
    expect([killed.outcome, killed.rule.id]).toEqual(['killed', 'linux.ghes.kernel-abort']);
    expect(of({ running: 'kernel', panicOnOops: true }).outcome).toBe('panicked');
    expect(of({ running: 'idle' }).outcome).toBe('panicked');
  });
});

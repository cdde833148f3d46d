import { describe, expect, test } from 'vitest';
import { externalInstructionAbort } from './exception.ts';

const VBAR = 0xffff_8000_8001_0800n;
const SPAN = 1n << 23n;
const state = (pstate: bigint, sctlr: bigint = SPAN) => ({ pc: 0x40_1234n, pstate, vbar: VBAR, sctlr });

describe('externalInstructionAbort', () => {
  test('from EL0: vector 0x400, class 0x20, EL1 with interrupts masked, flags kept', () => {
    expect(externalInstructionAbort(state(0x6000_0000n), 0xffff_8540_1000n)).toEqual({
      pc: VBAR + 0x400n,
      pstate: 0x6000_03c5n,
      elr: 0x40_1234n,
      spsr: 0x6000_0000n,
      esr: 0x8200_0010n,
      far: 0xffff_8540_1000n,
    });
  });

  test.each([
    ['EL1 with its own stack', 0x5n, 0x200n, 0x8600_0010n],
    ['EL1 with the stack of EL0', 0x4n, 0x0n, 0x8600_0010n],
    ['EL0 in AArch32', 0x10n, 0x600n, 0x8200_0010n],
  ])('from %s', (_name, pstate, vector, esr) => {
    expect(externalInstructionAbort(state(pstate), 0n)).toMatchObject({ pc: VBAR + vector, esr });
  });

  test('SCTLR_EL1 decides about PAN and SSBS', () => {
    expect(externalInstructionAbort(state(0n, 0n), 0n).pstate).toBe(0x40_03c5n);
    expect(externalInstructionAbort(state(0n, SPAN | (1n << 44n)), 0n).pstate).toBe(0x13c5n);
  });

  test('single step, illegal state and BTYPE do not get into the handler', () => {
    expect(externalInstructionAbort(state(0x30_0c00n), 0n).pstate).toBe(0x3c5n);
  });

  test('an unknown address is said to be unknown', () => {
    expect(externalInstructionAbort(state(0n), undefined)).toMatchObject({ esr: 0x8200_0410n, far: 0n });
  });
});

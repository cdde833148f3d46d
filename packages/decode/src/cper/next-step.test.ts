import { describe, expect, it } from 'vitest';
import { nextStepCper } from './next-step.ts';
import type { CperMemoryError, CperRecord } from './record.ts';
import { makeCperRecord } from './uefi-record.ts';

const memory = (more: Partial<CperMemoryError>): CperRecord =>
  makeCperRecord('recoverable', [{ body: { kind: 'memory', errorType: 3, ...more } }]);

describe('what is to be done about a recoverable memory error', () => {
  it('is asked of the page where the record names one', () => {
    const steps = nextStepCper(memory({ physicalAddress: 0x1000n })).join(' ');
    expect(steps).toContain('Memory failure:');
    expect(steps).not.toContain('Without an address');
  });

  it('is another where it names none', () => {
    expect(nextStepCper(memory({})).join(' ')).toMatch(
      /^Without an address in the record Linux cannot take a page away/,
    );
  });
});

import { describe, expect, test } from 'vitest';
import type { QmpClient } from './client.ts';
import { x86State } from './x86-state.ts';

/** As QEMU 11.1 prints it, cut. */
const X86 =
  'RAX=0000000000000000 RBX=ffffffff82a1a940\r\nRIP=ffffffff81e8f2bb RFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1\r\n';
const ARM = ' PC=ffff800080e8a3f0 X00=0000000000000000\r\nPSTATE=60000005 -ZC- EL1h\r\n';

const answering = (text: string): QmpClient =>
  ({ hmp: (command: string) => Promise.resolve(command === 'info registers' ? text : '') }) as unknown as QmpClient;

describe('the state of an x86 CPU', () => {
  test('is its privilege level and whether it waits; another CPU says nothing', async () => {
    expect(await x86State(answering(X86), 0)).toEqual({ level: 0, halted: true });
    expect(await x86State(answering(X86.replace('CPL=0', 'CPL=3').replace('HLT=1', 'HLT=0')), 1)).toEqual({
      level: 3,
      halted: false,
    });
    expect(await x86State(answering(ARM), 0)).toEqual({ level: undefined, halted: undefined });
  });
});

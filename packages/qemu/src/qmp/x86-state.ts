/** What `info registers` of the human monitor says of an x86 CPU beside its registers. Source: QEMU target/i386/cpu-dump.c. */
import type { QmpClient } from './client.ts';

interface X86State {
  /** Current privilege level: 0 the kernel, 3 a process. Undefined where QEMU does not say, as of other CPUs. */
  level: number | undefined;
  /** It waits for an interrupt. */
  halted: boolean | undefined;
}

/** Asks for the state of one CPU. A machine that runs may be elsewhere by the time of the answer: stop it first. */
export async function x86State(client: QmpClient, cpuIndex: number): Promise<X86State> {
  const text = await client.hmp('info registers', { cpuIndex });
  const level = /\bCPL=([0-3])\b/.exec(text)?.[1];
  const halted = /\bHLT=([01])\b/.exec(text)?.[1];
  return {
    level: level === undefined ? undefined : Number(level),
    halted: halted === undefined ? undefined : halted === '1',
  };
}

/** The guest agent's C is clean under the warnings that it is held to, with the compiler of this machine. */
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { HARNESS_SOURCES, WARNINGS, agentUnits, compile, machineCompiler } from '../scripts/fuzz/agent-wire.ts';

const compiler = process.platform === 'linux' ? machineCompiler() : undefined;

test.for([...new Set([...agentUnits(), ...HARNESS_SOURCES])].map(source => [basename(source), source] as const))(
  '%s compiles without a warning',
  { timeout: 120_000 },
  ([, source], context) => {
    if (compiler === undefined) return context.skip('this machine is no Linux with a C compiler (gcc, cc, clang)');
    expect(compile(compiler, [...WARNINGS, '-O2', '-c', '-o', '/dev/null', source])).toBe('');
  },
);

/** The guest agent's C with the compiler that builds it for guests: no warning, and its wire holds on hostile lines. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testToolchain } from '@syndrome/lab/supply/testing/parts.ts';
import { HARNESS_SOURCES, agentUnits, wireCases } from '../scripts/fuzz/agent-wire.ts';
import { runTarget } from '../scripts/fuzz/run.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'agent-c-'));
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe('the agent in C', () => {
  test.each(['amd64', 'arm64'] as const)('compiles without a warning for %s', async arch => {
    const toolchain = await testToolchain(arch);
    const output = join(dir, `agent-${arch}`);
    await toolchain.compileStatic({ source: agentUnits(), output, strict: true });
    expect((await stat(output)).size).toBeGreaterThan(10_000);
  });

  test('takes hostile lines', async () => {
    const output = join(dir, 'wire-fuzz');
    const toolchain = await testToolchain(process.arch === 'arm64' ? 'arm64' : 'amd64');
    await toolchain.compileStatic({ source: HARNESS_SOURCES, output, strict: true });
    const target = { name: 'guest:agent-wire', holds: '', weight: 1, open: () => wireCases(output) };
    const { failures } = await runTarget(target, 1, [0, 50]);
    expect(failures).toEqual([]);
  });
});

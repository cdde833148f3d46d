import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { TRACE_VERSION } from '@syndrome/trace/event.ts';
import { machineIdentities } from './identity.ts';
import { machineSchema } from './machines/registry.ts';
import { assemble } from './parts.ts';
import { findScenario } from './scenario/load.ts';
import { startMachine } from './start.ts';
import { Supply } from './supply/supply.ts';
import { layersOf } from './trace/layers.ts';
import { TraceRecorder } from './trace/recorder.ts';

const folder = mkdtempSync(join(tmpdir(), 'identity-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(['intel-ce-logged', 'arm64-sea-exit'])(
  'the machine of %s has the same identities in a cache that lies elsewhere',
  async name => {
    const { machine } = findScenario(name);
    const supply = await Supply.open();
    const here = machineIdentities(await assemble(machine, { accel: 'tcg' }, { supply }), supply.cacheDir);
    // The packages are there, what is made of them is made again.
    const cacheDir = join(folder, 'home', name);
    mkdirSync(cacheDir, { recursive: true });
    cpSync(join(supply.cacheDir, 'answers'), join(cacheDir, 'answers'), { recursive: true });
    symlinkSync(join(supply.cacheDir, 'parts'), join(cacheDir, 'parts'));
    const other = await Supply.open({ cacheDir, offline: true });
    const assembly = await assemble(machine, { accel: 'tcg' }, { supply: other });
    expect(assembly.files.initrd).toContain(cacheDir);
    expect(machineIdentities(assembly, cacheDir)).toEqual(here);
  },
);

/** Where an arm64 kernel lies in the virtual memory of a machine that boots with this seed. */
async function placeOfKernel(seed: number): Promise<string> {
  const supply = await Supply.open();
  const machine = machineSchema.parse({ kind: 'linux-guest', arch: 'aarch64', cpu: 'max,pauth-impdef=on', cpus: 1 });
  const assembly = await assemble(machine, { accel: 'tcg', seed }, { supply });
  const recorder = new TraceRecorder({
    type: 'trace',
    version: TRACE_VERSION,
    tool: 'test',
    scenario: 'seed',
    startedAt: '',
    layers: layersOf(machine),
    expect: [],
    settle: 0,
    parts: {},
  });
  const { cacheDir } = supply;
  const session = await startMachine(assembly, recorder, AbortSignal.timeout(300_000), { cacheDir, cold: true });
  try {
    const text = (await session.agent.readBytes('/proc/kallsyms', { max: 1 << 16 })).toString('latin1');
    return /^([0-9a-f]{16}) T _text$/m.exec(text)?.[1] ?? text.slice(0, 200);
  } finally {
    await session.stop();
  }
}

test('with the same seed an arm64 kernel takes the same place in memory, with another one another', async () => {
  const places = [await placeOfKernel(1), await placeOfKernel(1), await placeOfKernel(2)];
  expect(places[0]).toMatch(/^ffff[0-9a-f]{12}$/);
  expect(places[1]).toBe(places[0]);
  expect(places[2]).not.toBe(places[0]);
});

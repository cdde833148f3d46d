import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Supply } from './supply/supply.ts';
import { gatherParts } from './gather.ts';
import { bundledScenarios } from './scenario/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'gather-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('after gathering online nothing is lacking offline, and what is lacking is told of those that need it', async () => {
  const scenarios = bundledScenarios();
  const online = await Supply.open();
  for await (const found of gatherParts(scenarios, online)) expect(found).toHaveProperty('assembly');

  // The same parts in a cache that does not know of some of them.
  mkdirSync(join(folder, 'cache/answers'), { recursive: true });
  symlinkSync(join(online.cacheDir, 'parts'), join(folder, 'cache/parts'));
  symlinkSync(join(online.cacheDir, 'agent'), join(folder, 'cache/agent'));
  const copy = (lacks: RegExp): void => {
    rmSync(join(folder, 'cache/answers'), { recursive: true });
    cpSync(join(online.cacheDir, 'answers'), join(folder, 'cache/answers'), {
      recursive: true,
      filter: path => !lacks.test(path),
    });
  };
  const offline = await Supply.open({ cacheDir: join(folder, 'cache'), offline: true });
  const lacking = async (): Promise<Record<string, string>> => {
    const codes: Record<string, string> = {};
    for await (const found of gatherParts(scenarios, offline)) {
      if ('error' in found) codes[found.scenario] = found.error.code;
    }
    return codes;
  };
  copy(/\/node-arm64/);
  expect(await lacking()).toEqual(
    Object.fromEntries(scenarios.filter(s => s.machine.kind === 'arm64-host').map(s => [s.name, 'E_SUPPLY_OFFLINE'])),
  );
  copy(/\/kexec-/);
  expect(await lacking()).toEqual({ 'kdump-over-poison': 'E_SUPPLY_OFFLINE', 'xen-uc-kexec': 'E_SUPPLY_OFFLINE' });
  expect(readdirSync(join(folder, 'cache/initramfs')).length).toBeGreaterThan(3);
});

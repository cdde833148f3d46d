import { describe, expect, test } from 'vitest';
import { requireConfig } from './kernel-needs.ts';
import type { KnownKernel } from './kernel-options.ts';
import { bundledScenarios, type Scenario } from './scenario/load.ts';

const X86 = ['CONFIG_64BIT', 'CONFIG_X86_64', 'CONFIG_X86_MCE', 'CONFIG_MEMORY_FAILURE'];
const all = bundledScenarios();
const named = (name: string): Scenario => all.find(s => s.name === name) as Scenario;
const kernel = (layer: KnownKernel['layer'], options: readonly string[]): KnownKernel => ({
  layer,
  release: '6.1.0-50-cloud-amd64',
  config: new Set(options),
});
const lacking = (name: string, ...kernels: KnownKernel[]): string | undefined => {
  try {
    requireConfig(named(name), kernels);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};
const WITHOUT_MCE = X86.filter(o => o !== 'CONFIG_X86_MCE');

describe('a scenario is skipped', () => {
  test.each([
    ['intel-uc-fatal', [kernel('guest', WITHOUT_MCE)], 'CONFIG_X86_MCE: it leaves CR4.MCE clear'],
    ['amd-deferred', [kernel('host', X86), kernel('guest', WITHOUT_MCE)], 'CONFIG_X86_MCE'],
    ['intel-srao-process', [kernel('guest', ['CONFIG_X86_64', 'CONFIG_X86_MCE'])], 'CONFIG_MEMORY_FAILURE'],
    ['host-soft-offline', [kernel('host', ['CONFIG_X86_64']), kernel('guest', X86)], 'CONFIG_MEMORY_FAILURE'],
    ['arm64-ghes-memory', [kernel('guest', ['CONFIG_ARM64', 'CONFIG_MEMORY_FAILURE'])], 'CONFIG_ACPI_APEI_GHES'],
    [
      'intel-no-mce-kernel',
      [kernel('guest', X86)],
      'has CONFIG_X86_MCE, and the scenario is about a kernel without it',
    ],
    ['intel-no-mce-kernel', [{ layer: 'guest', release: '7.2' }], 'it is not known whether it has CONFIG_X86_MCE'],
  ] as [string, KnownKernel[], string][])('%s: %#', (name, kernels, why) => {
    expect(lacking(name, ...kernels)).toContain(why);
  });
});

describe('a scenario runs', () => {
  test.each([
    ['intel-uc-fatal', [kernel('guest', X86)]],
    // It prints nothing, and takes nothing out of use.
    ['intel-uc-fatal', [kernel('guest', ['CONFIG_X86_64', 'CONFIG_X86_MCE'])]],
    ['intel-uc-fatal', [{ layer: 'guest', release: '7.2' }]],
    ['amd-deferred', [kernel('host', WITHOUT_MCE), kernel('guest', X86)]],
    ['arm64-ghes-memory', [kernel('guest', ['CONFIG_MEMORY_FAILURE', 'CONFIG_ACPI_APEI_GHES'])]],
    ['arm64-host-ghes', [kernel('host', ['CONFIG_MEMORY_FAILURE', 'CONFIG_ACPI_APEI_GHES']), kernel('guest', [])]],
    ['intel-no-mce-kernel', [kernel('guest', WITHOUT_MCE)]],
    ['xen-uc-fatal', []],
  ] as [string, KnownKernel[]][])('%s: %#', (name, kernels) => {
    expect(lacking(name, ...kernels)).toBeUndefined();
  });
});

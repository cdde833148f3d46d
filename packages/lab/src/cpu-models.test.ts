import { describe, expect, test } from 'vitest';
import { cpuSignatureOf, cpuVendor } from './cpu-models.ts';

describe('what CPUID of a guest answers', () => {
  // As QEMU 11.1 expands the models (query-cpu-model-expansion).
  test.each([
    ['Skylake-Server', 0x50654n],
    ['Skylake-Server-v4', 0x50654n],
    ['Skylake-Server-noTSX-IBRS,-avx512f', 0x50654n],
    ['Cooperlake', 0x5065an],
    ['Icelake-Server-v3', 0x80660n],
    ['Icelake-Server-v5', 0x606a0n],
    ['SapphireRapids', 0x806f4n],
    ['DiamondRapids', 0x400f10n],
    ['EPYC', 0x800f12n],
    ['EPYC-IBPB', 0x800f12n],
    ['EPYC-Rome-v2', 0x830f10n],
    ['EPYC-Genoa', 0xa10f10n],
    ['Opteron_G5', 0x600f20n],
    ['athlon', 0x623n],
    ['SandyBridge,model=45', 0x206d1n],
    ['SandyBridge,model=0x2d,stepping=7', 0x206d7n],
    ['EPYC,family=25,model=80,stepping=0', 0xa50f00n],
    ['EPYC,model=1,model=49,stepping=0', 0x830f10n],
    ['host', undefined],
    ['max', undefined],
    ['host,family=6', undefined],
    ['Skylake-Server,model=none', undefined],
    ['', undefined],
  ])('%s', (cpu, signature) => {
    expect(cpuSignatureOf(cpu)).toBe(signature);
  });

  test.each([
    ['EPYC', 'tcg', 'amd'],
    ['Skylake-Server', 'tcg', 'intel'],
    ['Skylake-Server', 'amd', 'amd'],
    ['EPYC,vendor=GenuineIntel', 'tcg', 'intel'],
    ['Dhyana', 'tcg', undefined],
    ['EPYC,vendor=HygonGenuine', 'amd', undefined],
    ['max', 'tcg', undefined],
  ] as const)('the vendor of %s under %s', (cpu, host, vendor) => {
    expect(cpuVendor(cpu, host)).toBe(vendor);
  });
});

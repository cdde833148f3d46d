import { chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { asCpuNeed, cpuNeed } from '../needs.ts';
import { checkNeeds, whyNotFile } from './check.ts';

let folder: string;
const ASKING = { programs: [] as string[], signal: new AbortController().signal };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'check-'));
  writeFileSync(join(folder, 'disk.img'), 'x');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the files that a VM needs', () => {
  test('are there', () => {
    expect(whyNotFile(join(folder, 'disk.img'))).toBeUndefined();
    expect(whyNotFile(folder)).toBeUndefined();
    expect(whyNotFile('/proc/self/exe')).toBeUndefined();
  });

  test('are not: each is named', async () => {
    const needs = [join(folder, 'disk.img'), join(folder, 'OVMF.fd'), join(folder, 'disk.img/below')];
    const act = { id: 'c', kind: 'check', host: 'b', epoch: 0, incident: 'i', deadline: 0 } as const;
    expect(await checkNeeds({ ...act, needs }, ASKING)).toMatchObject({
      state: 'failed',
      reason: `${join(folder, 'OVMF.fd')} is not there, ${join(folder, 'disk.img/below')} is not there`,
    });
    expect(await checkNeeds({ ...act, needs: needs.slice(0, 1) }, ASKING)).toMatchObject({
      state: 'confirmed',
      seen: { files: '1' },
    });
  });

  test('our own links are followed, in the middle too; a loop ends', () => {
    mkdirSync(join(folder, 'a'));
    symlinkSync(join(folder, 'a'), join(folder, 'b'));
    symlinkSync('../disk.img', join(folder, 'a/relative'));
    symlinkSync('loop', join(folder, 'loop'));
    expect(whyNotFile(join(folder, 'b/relative'))).toBeUndefined();
    expect(whyNotFile(join(folder, 'loop'))).toContain('too many links');
  });

  test.runIf(process.geteuid?.() === 0)("another user's link is not followed", () => {
    symlinkSync('/etc/shadow', join(folder, 'theirs'));
    lchownSync(join(folder, 'theirs'), 12_345, 12_345);
    chownSync(join(folder, 'disk.img'), 12_345, 12_345);
    expect(whyNotFile(join(folder, 'theirs'))).toContain('link of user 12345');
    expect(whyNotFile(join(folder, 'disk.img'))).toBeUndefined();
  });

  test('what is neither a file nor a device is none', () => {
    expect(whyNotFile('/dev/null')).toContain('is no file');
    expect(whyNotFile('relative')).toContain('no whole path');
  });
});

describe('the CPU model that a VM needs', () => {
  const act = { id: 'c', kind: 'check', host: 'b', epoch: 0, incident: 'i', deadline: 0 } as const;
  /** What QEMU prints of x86, and of arm64. */
  const X86 = `Available CPUs:
x86 EPYC-Rome             (alias configured by machine type)
x86 EPYC-Rome-v1          AMD EPYC-Rome Processor

Recognized CPUID flags:
  3dnow avx2`;
  const ARM = 'Available CPUs:\n  cortex-a57\n  max';
  const asked = async (help: string, model: string, exit = 0): Promise<string | undefined> => {
    const program = join(folder, 'qemu-system-x');
    writeFileSync(program, `#!/bin/sh\n[ "$*" = '-cpu help' ] || exit 9\ncat <<'END'\n${help}\nEND\nexit ${exit}\n`, {
      mode: 0o755,
    });
    const needs = cpuNeed(model, program);
    const result = await checkNeeds({ ...act, needs }, { ...ASKING, programs: [program] });
    // Of a program that may not be started nothing is asked.
    expect(await checkNeeds({ ...act, needs }, ASKING)).toMatchObject({ state: 'confirmed' });
    return result.reason?.replace(folder, '');
  };

  test('is one that its program lists there', async () => {
    for (const [help, model] of [
      [X86, 'EPYC-Rome'],
      [X86, 'EPYC-Rome-v1'],
      [ARM, 'cortex-a57'],
    ] as const)
      expect(await asked(help, model)).toBeUndefined();
    for (const [help, model] of [
      [X86, 'EPYC-Genoa'],
      [X86, 'avx2'],
      [X86, 'EPYC'],
      [ARM, 'cortex-a5'],
    ] as const)
      expect(await asked(help, model)).toBe(`/qemu-system-x knows no CPU model ${model}`);
    // Who cannot be asked has not said no.
    expect(await asked(X86, 'EPYC-Genoa', 1)).toBeUndefined();
  });

  test('is none that every host has', () => {
    for (const model of [undefined, 'host', 'max', 'host-passthrough', 'host-model'])
      expect(cpuNeed(model, '/usr/bin/qemu')).toEqual([]);
    expect(cpuNeed('EPYC', 'qemu')).toEqual([]);
    expect(cpuNeed('EPYC', '/usr/bin/qemu')).toEqual(['cpu EPYC of /usr/bin/qemu']);
    expect(asCpuNeed('the password of -spice is a secret')).toBeUndefined();
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseKernelConfig, readKernelConfig } from './kernel-config.ts';

const CONFIG = `#
# Automatically generated file; DO NOT EDIT.
# Linux/x86 6.1.176 Kernel Configuration
#
CONFIG_64BIT=y
CONFIG_PRINTK=y
# CONFIG_X86_MCE is not set
CONFIG_ACPI_APEI_EINJ=m
CONFIG_HZ=250
CONFIG_DEFAULT_HOSTNAME="(none)"
`;

test('what is built in or a module is set; a comment, a value and a missing line are not', () => {
  expect([...(parseKernelConfig(CONFIG) ?? [])]).toEqual(['CONFIG_64BIT', 'CONFIG_PRINTK', 'CONFIG_ACPI_APEI_EINJ']);
});

test.each([
  ['an empty file', ''],
  ['a file that is cut', CONFIG.slice(0, -10)],
  ['any other text', 'Linux version 6.1\n'],
])('of %s nothing is known', (_what, text) => {
  expect(parseKernelConfig(text)).toBeUndefined();
});

test('nor of a file that is not there', () => {
  const dir = mkdtempSync(join(tmpdir(), 'syndrome-'));
  try {
    const file = join(dir, 'config-6.1');
    expect([readKernelConfig(undefined), readKernelConfig(file)]).toEqual([undefined, undefined]);
    writeFileSync(file, CONFIG);
    expect(readKernelConfig(file)?.has('CONFIG_64BIT')).toBe(true);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { UsageError } from '../../common/errors.ts';
import type { GuestArch, StaticToolchain } from '../agent-build.ts';

/**
 * The parts machine tests run on, named by environment variables:
 *
 *   SYNDROME_TEST_CC                  program called with: architecture, source, output
 *   SYNDROME_TEST_QEMU                program called with: target (x86_64, aarch64), arguments of QEMU
 *   SYNDROME_TEST_KERNEL_AMD64, _ARM64   kernel images
 *   SYNDROME_TEST_FIRMWARE_ARM64      UEFI firmware
 */
function named(variable: string): string {
  const value = process.env[variable];
  if (value === undefined || value === '')
    throw new UsageError('E_GUEST_TEST_PARTS', `${variable} is not set`, {
      hint: 'src/guest/testing/parts.ts lists what the machine tests of this room need.',
    });
  return value;
}

export function testToolchain(arch: GuestArch): Promise<StaticToolchain> {
  const program = named('SYNDROME_TEST_CC');
  return Promise.resolve({
    id: createHash('sha256').update(program).update(readFileSync(program)).digest('hex'),
    compileStatic: ({ source, output, deadlineMs = 60_000 }) =>
      new Promise<void>((resolve, reject) => {
        const child = spawn(program, [arch, source, output], {
          stdio: ['ignore', 'ignore', 'pipe'],
          timeout: deadlineMs,
        });
        let errors = '';
        child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4000)));
        child.on('error', reject);
        child.on('close', code => (code === 0 ? resolve() : reject(new Error(`compiler: exit ${code}: ${errors}`))));
      }),
  });
}

/** The program and first arguments that start QEMU for a target. */
export function testQemu(target: 'x86_64' | 'aarch64'): Promise<readonly string[]> {
  return Promise.resolve([named('SYNDROME_TEST_QEMU'), target]);
}

export function testKernel(arch: GuestArch): Promise<string> {
  return Promise.resolve(named(arch === 'amd64' ? 'SYNDROME_TEST_KERNEL_AMD64' : 'SYNDROME_TEST_KERNEL_ARM64'));
}

export function testFirmware(arch: 'arm64'): Promise<string> {
  return Promise.resolve(named(`SYNDROME_TEST_FIRMWARE_${arch.toUpperCase()}`));
}

import { closeSync, readSync } from 'node:fs';
import { openInput } from '@syndrome/base/disk/input-file.ts';
import { supplyError } from './errors.ts';

/** The first bytes of a regular file (fewer when it is shorter). Throws E_SUPPLY_FILE when it cannot be read. */
export function readStart(path: string, bytes: number, from = 0): Buffer {
  let fd: number;
  try {
    fd = openInput(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw supplyError('E_SUPPLY_FILE', `${path} is ${(error as Error).message}`);
    const missing = code === 'ENOENT';
    throw supplyError('E_SUPPLY_FILE', `${path} ${missing ? 'does not exist' : 'cannot be read'}`, { cause: error });
  }
  try {
    const buffer = Buffer.alloc(bytes);
    return buffer.subarray(0, readSync(fd, buffer, 0, bytes, from));
  } finally {
    closeSync(fd);
  }
}

type KernelFormat = 'bzImage' | 'arm64-Image' | 'efi-zboot' | 'gzip' | 'elf';

/**
 * Which kind of kernel image a file is, by its magic numbers: bzImage `HdrS` at 0x202
 * (Documentation/arch/x86/boot.rst), arm64 `ARM\x64` at 0x38 (Documentation/arch/arm64/booting.rst), the EFI zboot
 * header `MZ..zimg`, gzip, ELF (`vmlinux`, Xen). Undefined for anything else.
 */
export function kernelFormat(path: string): KernelFormat | undefined {
  const head = readStart(path, 0x210);
  if (head.length >= 0x206 && head.toString('latin1', 0x202, 0x206) === 'HdrS') return 'bzImage';
  if (head.toString('latin1', 0x38, 0x3c) === 'ARM\x64') return 'arm64-Image';
  if (head.toString('latin1', 0, 2) === 'MZ' && head.toString('latin1', 4, 8) === 'zimg') return 'efi-zboot';
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head.toString('latin1', 0, 4) === '\x7fELF') return 'elf';
  return undefined;
}

/** The release in a bzImage's header (`kernel_version` at 0x20e): `7.2.12+deb13-cloud-amd64`; undefined when absent. */
export function bzImageRelease(path: string): string | undefined {
  const head = readStart(path, 0x210);
  if (head.length < 0x210) return undefined;
  const pointer = head.readUInt16LE(0x20e);
  if (pointer === 0) return undefined;
  const text = readStart(path, 256, 0x200 + pointer).toString('latin1');
  const release = /^[\x21-\x7e]{1,120}/.exec(text)?.[0];
  return release && /^\d+\.\d+/.test(release) ? release : undefined;
}

const FORMATS = {
  amd64: ['bzImage', 'elf'],
  arm64: ['arm64-Image', 'efi-zboot', 'gzip'],
} as const satisfies Record<string, readonly KernelFormat[]>;

/** Checks that a file can be a kernel for this architecture. Throws E_SUPPLY_FILE that says what it is instead. */
export function checkKernelFile(path: string, arch: 'amd64' | 'arm64'): KernelFormat {
  const format = kernelFormat(path);
  const wanted: readonly KernelFormat[] = FORMATS[arch];
  if (format !== undefined && wanted.includes(format)) return format;
  const other = arch === 'amd64' ? 'arm64' : 'amd64';
  const foreign = format !== undefined && (FORMATS[other] as readonly KernelFormat[]).includes(format);
  throw supplyError(
    'E_SUPPLY_FILE',
    `${path} is not a Linux kernel image for ${arch}${foreign ? `: it looks like one for ${other} (${format})` : ''}`,
    { hint: arch === 'amd64' ? 'Give arch/x86/boot/bzImage.' : 'Give arch/arm64/boot/Image or vmlinuz.efi.' },
  );
}

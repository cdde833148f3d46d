import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Supply } from './supply.ts';
import { bzImageRelease, checkKernelFile, kernelFormat } from './user-file.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'supply-user-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, fill: (data: Buffer) => void, bytes = 4096): string {
  const data = Buffer.alloc(bytes);
  fill(data);
  const path = join(folder, name);
  writeFileSync(path, data);
  return path;
}

const bzImage = (): string =>
  write('bzImage', data => {
    data.write('HdrS', 0x202, 'latin1');
    data.writeUInt16LE(0x300, 0x20e);
    data.write('7.4.0-rc2-mine (me@here) #1\0', 0x500, 'latin1');
  });

describe('kernel images of the user', () => {
  test('are known by their magic numbers', () => {
    expect(kernelFormat(bzImage())).toBe('bzImage');
    expect(kernelFormat(write('Image', d => d.write('ARM\x64', 0x38, 'latin1')))).toBe('arm64-Image');
    expect(kernelFormat(write('zboot', d => d.write('MZ\0\0zimg', 0, 'latin1')))).toBe('efi-zboot');
    expect(kernelFormat(write('vmlinux', d => d.write('\x7fELF', 0, 'latin1')))).toBe('elf');
    const packed = join(folder, 'Image.gz');
    writeFileSync(packed, gzipSync('x'));
    expect(kernelFormat(packed)).toBe('gzip');
    expect(kernelFormat(write('zeros', () => undefined))).toBeUndefined();
    expect(kernelFormat(write('short', () => undefined, 3))).toBeUndefined();
  });

  test('tell their release; a pointer out of the file does not', () => {
    expect(bzImageRelease(bzImage())).toBe('7.4.0-rc2-mine');
    const wild = write('wild', data => {
      data.write('HdrS', 0x202, 'latin1');
      data.writeUInt16LE(0xffff, 0x20e);
    });
    expect(bzImageRelease(wild)).toBeUndefined();
  });

  test('of the other architecture are refused with a word about it', () => {
    expect(() => checkKernelFile(bzImage(), 'arm64')).toThrow('looks like one for amd64 (bzImage)');
    expect(() => checkKernelFile(join(folder, 'nothing'), 'amd64')).toThrow('does not exist');
    expect(() => checkKernelFile(folder, 'amd64')).toThrow('not a regular file');
  });

  test('need no package', async () => {
    const supply = await Supply.open({ cacheDir: join(folder, 'cache'), offline: true });
    expect(await supply.kernel({ arch: 'amd64', version: bzImage() })).toMatchObject({
      version: '7.4.0-rc2',
      release: '7.4.0-rc2-mine',
      source: 'user',
    });
    await expect(supply.kernel({ arch: 'amd64', version: 'seven' })).rejects.toMatchObject({
      code: 'E_SUPPLY_KERNEL_QUERY',
    });
  });
});

describe('programs and images of the user', () => {
  test('a QEMU must be a program that answers like one', async () => {
    const supply = await Supply.open({ cacheDir: join(folder, 'cache'), offline: true });
    const script = join(folder, 'my-qemu');
    const refused = async (what: string): Promise<void> => {
      await expect(supply.qemu('x86_64', script)).rejects.toMatchObject({
        code: 'E_SUPPLY_FILE',
        message: expect.stringContaining(what),
      });
    };
    await refused('is not a file');
    writeFileSync(script, 'MZ');
    chmodSync(script, 0o755);
    await refused('is not a program');
    writeFileSync(script, '#!/bin/sh\nexit 1\n');
    await refused('does not answer');
    const answers = (machine: string): string =>
      `#!/bin/sh\ncase $1 in --version) echo "QEMU emulator version 12.0.50 (mine)";; *) echo "${machine}  a machine";; esac\n`;
    writeFileSync(script, answers('virt'));
    await refused('is a QEMU for another architecture');
    writeFileSync(script, answers('q35'));
    expect(await supply.qemu('x86_64', script)).toMatchObject({ argv: [script], version: '12.0.50', source: 'user' });
  });

  test('Xen must be uncompressed, firmware must be firmware', async () => {
    const supply = await Supply.open({ cacheDir: join(folder, 'cache'), offline: true });
    const packed = join(folder, 'xen.gz');
    writeFileSync(packed, gzipSync('x'));
    await expect(supply.xen(packed)).rejects.toMatchObject({ hint: expect.stringContaining('gunzip') });
    const elf = write('xen-4.21', d => d.write('\x7fELF', 0, 'latin1'));
    expect(await supply.xen(elf)).toMatchObject({ version: '4.21', image: elf, source: 'user' });
    await expect(supply.firmware(packed)).rejects.toMatchObject({ code: 'E_SUPPLY_FILE' });
    const code = write('QEMU_EFI.fd', d => d.write('_FVH', 0x28, 'latin1'));
    expect(await supply.firmware(code)).toMatchObject({ code, source: 'user' });
  });
});

/** An image with Node, for what a test runs in an emulated machine. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDerived } from '@syndrome/base/disk/derived.ts';
import { buildInitramfs } from '@syndrome/lab/guest/initramfs.ts';
import { imageData } from '@syndrome/lab/machine/images.ts';
import { packNode } from '@syndrome/lab/machine/node-image.ts';
import type { Supply } from '@syndrome/lab/supply/supply.ts';

/**
 * An initramfs with Node besides, for a program that the caller runs in the machine; made once for each content and kept in the cache.
 * The kernel unpacks archives that stand one behind the other (Documentation/driver-api/early-userspace/buffer-format.rst).
 * @param own files of the caller, by their paths without the leading slash
 */
export async function imageWithNode(
  supply: Supply,
  arch: 'amd64' | 'arm64',
  initrd: string,
  own: Readonly<Record<string, string>> = {},
): Promise<string> {
  const files = packNode(await supply.node(arch)).map(file => ({ path: file.path, data: imageData(file) }));
  const mine = Object.entries(own).map(([path, text]) => ({ path, data: Buffer.from(text) }));
  const first = readFileSync(initrd);
  const second = buildInitramfs([...files, ...mine].map(f => ({ type: 'file', mode: 0o755, ...f })));
  const name = createHash('sha256').update(first).update(second).digest('hex').slice(0, 24);
  const file = join(supply.cacheDir, 'initramfs', `${arch}-${name}.cpio`);
  await makeDerived(file, fresh => writeFileSync(fresh, Buffer.concat([first, second])));
  return file;
}

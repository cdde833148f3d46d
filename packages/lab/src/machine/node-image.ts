/** @module Node as files of an initramfs. */
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { libraryClosure } from '../guest/elf.ts';
import type { NodePart } from '../supply/node.ts';
import { filesUnder, type ImageFile } from './image-file.ts';

/** Where Node is in a host layer, and what it finds koffi beside. */
export const NODE = 'node/bin/node';
export const BESIDE_NODE = 'syndrome';

/** Node for a host layer, with its packages beside the program of the reference VMM, or what stands in its place. */
export function packNode(node: NodePart): ImageFile[] {
  const libraries = libraryClosure([node.program, ...addons(node)], node.libraries);
  // A program names its loader by a whole path.
  const loader = basename(node.loader).includes('x86-64') ? 'lib64' : 'lib';
  return [
    { file: node.program, path: NODE },
    { file: node.loader, path: `${loader}/${basename(node.loader)}` },
    ...libraries
      .filter(l => basename(l) !== basename(node.loader))
      .map(file => ({ file, path: `lib/${basename(file)}` })),
    ...node.modules.flatMap(({ name, folder }) =>
      filesUnder(folder, `${BESIDE_NODE}/node_modules/${name}`).filter(
        f => /\.(js|cjs|mjs|json|node)$/.test(f.path) && !f.path.includes('musl'),
      ),
    ),
  ];
}

/** Native parts of the packages, which need libraries of their own. */
function addons(node: NodePart): string[] {
  return node.modules
    .flatMap(({ folder }) => globSync('**/*.node', { cwd: folder }).map(file => join(folder, file)))
    .filter(file => !file.includes('musl'));
}

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtOnce } from '../guest/agent-build.ts';
import type { Supply } from '../supply/supply.ts';

const FOLDER = fileURLToPath(new URL('../../native', import.meta.url));

/** The sources of what is loaded into a QEMU that forks. */
const forkSources = (): string[] =>
  readdirSync(FOLDER)
    .filter(name => /\.[chS]$/.test(name))
    .sort()
    .map(name => join(FOLDER, name));

/**
 * The shared object that makes a QEMU of this computer fork, built once for its sources and its compiler.
 * @throws SupplyError: E_SUPPLY_COMPILE, or for a compiler that cannot be had
 */
export async function forkLibrary(supply: Supply): Promise<string> {
  const toolchain = await supply.toolchain('amd64');
  const sources = forkSources();
  return builtOnce('fork', sources, toolchain.id, join(supply.cacheDir, 'fork'), output =>
    toolchain.compileShared({ source: sources.filter(name => !name.endsWith('.h')), output, strict: true }),
  );
}

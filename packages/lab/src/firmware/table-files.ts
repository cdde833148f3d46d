import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDerived } from '@syndrome/base/disk/derived.ts';

/** The files of tables in the cache, as QEMU reads them; made once for each content. */
export async function tableFiles(cacheDir: string, tables: readonly Uint8Array[]): Promise<string[]> {
  const files: string[] = [];
  for (const table of tables) {
    const name = createHash('sha256').update(table).digest('hex').slice(0, 24);
    const file = join(cacheDir, 'acpi', `${name}.aml`);
    await makeDerived(file, async fresh => writeFileSync(fresh, table));
    files.push(file);
  }
  return files;
}

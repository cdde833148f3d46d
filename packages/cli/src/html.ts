/** @module `--html FILE`: traces in a page that opens from anywhere, without a server. */
import { basename } from 'node:path';
import { writeOutput } from '@syndrome/base/disk/output-file.ts';
import { fillTemplate, template } from '@syndrome/web/template.ts';
import { say } from './output.ts';

/** A trace as it is in its file, byte for byte. */
interface TraceFile {
  file: string;
  bytes: Uint8Array;
}

/** Writes the page with one trace, or with two that it compares; stderr says where. */
export async function writeTracePage(page: string, traces: readonly TraceFile[]): Promise<void> {
  const files = traces.map(({ file, bytes }) => ({ kind: 'trace' as const, name: basename(file), bytes }));
  await writeOutput(page, fillTemplate(await template(), files));
  say(`page ${page}`);
}

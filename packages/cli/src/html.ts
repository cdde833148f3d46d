/** @module `--html FILE`: files in a page that opens from anywhere, without a server. */
import { basename } from 'node:path';
import { writeOutput } from '@syndrome/base/disk/output-file.ts';
import { fillTemplate, type PageFile, template } from '@syndrome/web/template.ts';
import { say } from './output.ts';

/**
 * Writes a page that carries files; stderr says where.
 * @param options.unscripted see {@link fillTemplate}
 */
export async function writePage(
  page: string,
  files: readonly PageFile[],
  { unscripted, signal }: { unscripted?: string; signal?: AbortSignal } = {},
): Promise<void> {
  try {
    await writeOutput(page, fillTemplate(await template(), files, unscripted), signal);
  } catch (error) {
    // Of /dev/stdout, or a pipe: who read it has seen enough (`| head`).
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return;
    throw error;
  }
  say(`page ${page}`);
}

/** A trace as it is in its file, byte for byte. */
interface TraceFile {
  file: string;
  bytes: Uint8Array;
}

/** Writes the page with one trace, or with two that it compares. */
export const writeTracePage = (page: string, traces: readonly TraceFile[]): Promise<void> =>
  writePage(
    page,
    traces.map(({ file, bytes }) => ({ kind: 'trace', name: basename(file), bytes })),
  );

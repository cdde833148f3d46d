/** @module `--html FILE`: files in a page that opens from anywhere, without a server. */
import { basename } from 'node:path';
import { SyndromeError } from '@syndrome/decode/common/errors.ts';
import { writeOutput } from '@syndrome/base/disk/output-file.ts';
import { fillTemplate, type PageFile, template } from '@syndrome/web/template.ts';
import { say } from './output.ts';

/** What is said where a page cannot be written: that nothing else was lost, or what was not. */
interface Lost {
  code: 'E_OUTPUT' | 'E_REPORT';
  hint: string;
}
const OUTPUT: Lost = { code: 'E_OUTPUT', hint: 'Name another place with --html; what was read is as it was.' };

/**
 * Writes a page that carries files; stderr says where.
 * @param options.unscripted see {@link fillTemplate}
 * @param options.lost what is said where it cannot be written
 * @throws SyndromeError E_OUTPUT, or the code of `lost`; AbortError
 */
export async function writePage(
  page: string,
  files: readonly PageFile[],
  { unscripted, signal, lost = OUTPUT }: { unscripted?: string; signal?: AbortSignal; lost?: Lost } = {},
): Promise<void> {
  const html = fillTemplate(await template(), files, unscripted);
  try {
    await writeOutput(page, html, signal);
  } catch (cause) {
    // Of /dev/stdout, or a pipe: who read it has seen enough (`| head`).
    if ((cause as NodeJS.ErrnoException).code === 'EPIPE') return;
    if (signal?.aborted) throw cause;
    throw new SyndromeError(lost.code, `the page ${page} could not be written`, { cause, hint: lost.hint });
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

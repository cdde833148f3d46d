/** @module The page of a matrix, with the traces of its cells in it. */
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { stringify } from '@syndrome/decode/common/hex.ts';
import { LabInterrupted } from '@syndrome/lab/errors.ts';
import type { MatrixReport } from '@syndrome/lab/report/matrix.ts';
import type { PageFile } from '@syndrome/web/template.ts';
import { unscriptedMatrix } from '@syndrome/web/unscripted.ts';
import { writePage } from './html.ts';

/** Bytes of traces that a page carries; of more those that failed come first. */
const MAX_TRACES = 64 * 2 ** 20;

/**
 * Writes the page of a matrix with the traces behind its cells; a trace that has gone, and what is too much, is left out and
 * can be dropped there.
 * @param hint what is not lost where the page cannot be written
 * @throws SyndromeError E_REPORT, LabInterrupted
 */
export async function writeMatrixPage(
  page: string,
  report: MatrixReport,
  signal: AbortSignal,
  hint: string,
): Promise<void> {
  try {
    await write(page, report, signal, hint);
  } catch (error) {
    throw signal.aborted ? new LabInterrupted() : error;
  }
}

async function write(page: string, report: MatrixReport, signal: AbortSignal, hint: string): Promise<void> {
  const text = stringify(report);
  const files: PageFile[] = [{ kind: 'matrix', name: `${report.scenario}.json`, bytes: Buffer.from(text) }];
  const traces = report.cells
    .toSorted((a, b) => Number(b.result.verdict === 'fail') - Number(a.result.verdict === 'fail'))
    .map(({ result }) => result.trace);
  let left = MAX_TRACES;
  for (const trace of new Set(traces)) {
    const size = await stat(trace).then(
      found => (found.isFile() ? found.size : Infinity),
      () => Infinity,
    );
    if (size > left) continue;
    const bytes = await readFile(trace).catch(() => undefined);
    if (bytes === undefined) continue;
    left -= bytes.length;
    files.push({ kind: 'trace', name: basename(trace), bytes });
  }
  const unscripted = unscriptedMatrix(text, report.scenario);
  const lost = { code: 'E_REPORT', hint } as const;
  await writePage(page, files, { signal, lost, ...(unscripted === undefined ? {} : { unscripted }) });
}

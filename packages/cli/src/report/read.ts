/** @module Results read for a report, one trace in memory at a time. What cannot be read is told and never ends the report. */
import { setImmediate } from 'node:timers/promises';
import { messageOf, SyndromeError } from '@syndrome/decode/common/errors.ts';
import { readInput } from '@syndrome/base/disk/input-file.ts';
import { type JunitCase, junitCases } from '@syndrome/lab/report/junit-cases.ts';
import { readTrace } from '@syndrome/lab/trace/read-file.ts';
import { comparedRun } from '@syndrome/trace/compare/compare.ts';
import { type MatrixFile, readMatrix } from '@syndrome/web/view/matrix-file.ts';
import {
  besides,
  besidesIn,
  type Report,
  reportOf,
  type ReportRun,
  reportRun,
  type UnreadFile,
} from '@syndrome/web/view/report.ts';
import type { Found, FoundFile } from './find.ts';

/** Bytes of a matrix or of a JUnit file: no measurement has so many. */
const MAX_TEXT = 256 * 2 ** 20;

/** Results, and the matrices as they were written. */
interface Results {
  report: Report;
  matrixTexts: Map<string, string>;
}

/** Why a file is not read. Its path is said by its name in the folder: the report is looked at elsewhere. */
function unreadFile({ name, path }: Pick<FoundFile, 'name'> & { path?: string }, error: unknown): UnreadFile {
  const known = error instanceof SyndromeError ? error : undefined;
  const message = messageOf(error);
  return {
    name,
    code: known?.code ?? 'E_LAB_TRACE_READ',
    message: path === undefined ? message : message.replaceAll(path, name),
    ...(known?.hint === undefined ? {} : { hint: known.hint }),
  };
}

/** Each failed run with the passed one to hold it against, and where the two part. */
async function withBesides(
  runs: readonly ReportRun[],
  pathOf: (name: string) => string,
  goOn: () => Promise<void>,
): Promise<ReportRun[]> {
  const all: ReportRun[] = [];
  const others = besidesIn(runs);
  for (const run of runs) {
    await goOn();
    const other = others.get(run.name);
    try {
      const pair = other && [await readTrace(pathOf(run.name)), await readTrace(pathOf(other.name))].map(comparedRun);
      const [a, b] = pair ?? [];
      all.push(other && a && b ? { ...run, beside: besides(run, other, a, b) } : run);
    } catch {
      // One of the two has changed meanwhile: the run itself is known.
      all.push(run);
    }
  }
  return all;
}

/** Lets what waits have its turn, a signal too. @throws the reason of one that was aborted */
export async function turnOf(signal: AbortSignal): Promise<void> {
  await setImmediate();
  signal.throwIfAborted();
}

/** Reads all that was found. @throws the reason of the signal, between two files */
export async function readResults(
  { files, unread: lost }: Found,
  title: string,
  signal: AbortSignal,
): Promise<Results> {
  const goOn = (): Promise<void> => turnOf(signal);
  const runs: ReportRun[] = [];
  const unread: UnreadFile[] = lost.map(({ name, why }) => unreadFile({ name }, why));
  const tests: JunitCase[] = [];
  const matrices: MatrixFile[] = [];
  const matrixTexts = new Map<string, string>();
  for (const file of files) {
    const { kind, name, path, size } = file;
    await goOn();
    try {
      if (kind === 'trace') {
        runs.push(reportRun(await readTrace(path), name, size));
        continue;
      }
      if (size > MAX_TEXT) throw new Error(`larger than ${MAX_TEXT} bytes`);
      const text = readInput(path, size).toString('utf8');
      if (kind === 'junit') {
        const cases = junitCases(text, name);
        tests.push(...(cases ?? []));
        // Those of other programs are not ours to judge.
        if (cases === undefined && text.includes('classname="syndrome"'))
          throw new Error('the JUnit file is cut or damaged');
        continue;
      }
      const matrix = readMatrix(text, name);
      if (!('cells' in matrix)) {
        unread.push({ name, code: 'E_INPUT', message: matrix.message, hint: matrix.hint });
        continue;
      }
      matrices.push(matrix);
      matrixTexts.set(name, text);
    } catch (error) {
      unread.push(unreadFile(file, error));
    }
  }
  const paths = new Map(files.map(({ name, path }) => [name, path]));
  const held = await withBesides(runs, name => paths.get(name) ?? '', goOn);
  return { report: reportOf({ title, runs: held, unread, tests, matrices }), matrixTexts };
}

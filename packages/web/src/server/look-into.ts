/** @module What a file is, found out once for each state of it: who lists a thousand of them does not read them again. */
import { closeSync, readSync } from 'node:fs';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { judgeFile } from '@syndrome/trace/expect/verdict.ts';
import { isTraceText, readHeader } from '@syndrome/trace/parse-header.ts';
import { type Trace, TraceReader } from '@syndrome/trace/reader.ts';
import type { FileState, ListedFile } from '../view/listing.ts';
import { overWords } from '../view/matrix.ts';
import { isMatrixText, readMatrix } from '../view/matrix-file.ts';
import { MOST_WHOLE } from '../view/most.ts';

/** What {@link lookInto} says of a file. */
export type Seen = Pick<ListedFile, 'kind' | 'scenario' | 'about'> & { state: FileState };

/** The first line of a trace is shorter, by far. */
const HEAD = 1 << 16;
const PIECE = 1 << 20;

function textAt(fd: number, length: number, from: number): string {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(fd, bytes, 0, length, from)).toString('utf8');
}

function whole(fd: number, file: string, size: number): Trace {
  const reader = new TraceReader(file);
  const text = new TextDecoder();
  const bytes = Buffer.alloc(Math.min(PIECE, size));
  for (let at = 0; at < size; ) {
    const count = readSync(fd, bytes, 0, Math.min(bytes.length, size - at), at);
    if (count === 0) break;
    reader.push(text.decode(bytes.subarray(0, count), { stream: true }));
    at += count;
  }
  reader.push(text.decode());
  return reader.end();
}

/** Of a trace without its verdict. */
function headOf(head: string, file: string): Seen {
  const { scenario, parts } = readHeader(head.slice(0, head.indexOf('\n')), file).header;
  return {
    kind: 'trace',
    state: 'unread',
    scenario,
    about: parts.kernel === undefined ? '' : `kernel ${parts.kernel}`,
  };
}

function judged(trace: Trace, seen: Seen): Seen {
  const { verdict, outcome, problem, seconds } = judgeFile(trace);
  if (problem?.code === 'E_LAB_TRACE_CUT') return { ...seen, state: 'cut' };
  const words = [problem?.code ?? outcome, seen.about, `${seconds.toFixed(1)} s`];
  return { ...seen, state: verdict, about: words.filter(Boolean).join(' · ') };
}

function matrixOf(text: string, file: string): Seen {
  const matrix = readMatrix(text, file);
  if (!('cells' in matrix)) return { kind: 'matrix', state: 'damaged', scenario: '', about: matrix.message };
  const failed = matrix.cells.filter(({ verdict }) => verdict === 'fail').length;
  const cells = `${matrix.cells.length} cell${matrix.cells.length === 1 ? '' : 's'}`;
  return {
    kind: 'matrix',
    state: 'read',
    scenario: matrix.scenario,
    about: `${cells} over ${overWords([matrix])}, ${failed} failed`,
  };
}

/**
 * What a file is.
 * @param fd closed here
 * @param file what it is called
 * @param only `head`: a run still writes it. A matrix is written as a whole
 * @returns undefined for what is neither a trace nor a matrix; it never throws
 */
export function lookInto(fd: number, file: string, size: number, only?: 'head'): Seen | undefined {
  let seen: Seen | undefined;
  try {
    const head = textAt(fd, Math.min(HEAD, size), 0);
    if (isMatrixText(head)) {
      seen = { kind: 'matrix', state: 'unread', scenario: '', about: '' };
      return size > MOST_WHOLE ? seen : matrixOf(textAt(fd, size, 0), file);
    }
    if (!isTraceText(head)) return undefined;
    seen = { kind: 'trace', state: 'damaged', scenario: '', about: '' };
    seen = headOf(head, file);
    if (only === 'head') return seen;
    return size > MOST_WHOLE
      ? { ...seen, about: 'too large to be judged in a list' }
      : judged(whole(fd, file, size), seen);
  } catch (error) {
    return seen && { ...seen, state: 'damaged', about: messageOf(error) };
  } finally {
    closeSync(fd);
  }
}

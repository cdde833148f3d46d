/** @module Which page of a report carries which traces, and the links that lead there. */
import { originOfTraces, hashOf, type Look } from './link.ts';
import type { Report, ReportRun } from './report.ts';

/** Bytes of traces in one page: packed they are a quarter of it or less, and a page opens in a second. */
const MAX_PAGE = 64 * 2 ** 20;
/** A trace that no page carries: it would not open. */
export const MAX_CARRIED = 256 * 2 ** 20;

/** A page of a report, as a file beside its index. */
export interface ReportPage {
  file: string;
  /** Names of the traces that it carries. */
  traces: readonly string[];
  /** It shows the matrices. */
  matrices: boolean;
}

/**
 * Shares traces out among pages, so that of each failed run the one beside it is in the same page. What is small is in one
 * page with everything.
 */
export function reportPages({ runs, matrices }: Pick<Report, 'runs' | 'matrices'>): ReportPage[] {
  const sizes = new Map(runs.map(({ name, size }) => [name, size]));
  const sizeOf = (name: string): number => sizes.get(name) ?? Infinity;
  const pages: Set<string>[] = [];
  let room = 0;
  for (const { name, beside } of runs) {
    // One that stands beside a failed run has a page already.
    if (sizeOf(name) > MAX_CARRIED || pages.some(page => page.has(name))) continue;
    const pair = [name, ...(beside && sizeOf(beside.name) <= MAX_CARRIED ? [beside.name] : [])];
    const bytes = (names: readonly string[]): number => names.reduce((sum, one) => sum + sizeOf(one), 0);
    const last = pages.at(-1);
    const missing = pair.filter(one => !last?.has(one));
    if (last && bytes(missing) <= room) {
      for (const one of missing) last.add(one);
      room -= bytes(missing);
    } else {
      pages.push(new Set(pair));
      room = MAX_PAGE - bytes(pair);
    }
  }
  if (pages.length === 0 && matrices.length > 0) pages.push(new Set());
  return pages.map((traces, i) => ({
    file: i === 0 ? 'runs.html' : `runs-${i + 1}.html`,
    traces: [...traces],
    matrices: i === 0 && matrices.length > 0,
  }));
}

/** The link to a run, to what failed first in it. Undefined where no page carries it. */
export function linkOfRun(pages: readonly ReportPage[], { name, failure }: ReportRun): string | undefined {
  const page = pages.find(({ traces }) => traces.includes(name));
  const look: Look = failure?.event === undefined ? {} : { event: { run: 'a', seq: failure.event.seq } };
  return page && `${page.file}${hashOf(look)}${hashOf(look).includes('?') ? '&' : '?'}${originOfTraces([name])}`;
}

/** The link to a failed run beside the passed one. */
export function linkOfPair(pages: readonly ReportPage[], { name, beside }: ReportRun): string | undefined {
  const page = beside && pages.find(({ traces }) => traces.includes(name) && traces.includes(beside.name));
  return page && `${page.file}#trace?${originOfTraces([name, beside.name])}`;
}

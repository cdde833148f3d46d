import type { CellRun } from '../engine.ts';

/** What a run saw of what it expects, apart from times and addresses. */
export const evidence = ({ result, events }: Pick<CellRun, 'result' | 'events'>): unknown[] =>
  result.expectations.map(({ expectation, status, evidence: seqs }) => ({
    expectation,
    status,
    seen: events
      .filter(({ seq }) => seqs.includes(seq))
      .map(({ name, fields = {} }) => [name, Object.keys(fields).sort(), (fields as { code?: unknown }).code]),
  }));

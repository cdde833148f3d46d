/** Traces that the tests of pages look at. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseTrace } from '@syndrome/trace/testing/parse.ts';
import { openRun, type Run } from '../run.ts';

const PAIR = join(import.meta.dirname, '../../../../trace/src/compare/golden');
/** Linux 6.19.6, which panics, and 7.3.4 with the same error. */
export const BAD = join(PAIR, 'pair-amd-deferred-6.19.6.ndjson');
export const GOOD = join(PAIR, 'pair-amd-deferred-7.3.4.ndjson');

export const runOf = (file: string): Run => openRun(parseTrace(readFileSync(file, 'utf8'), file), file);

type Row = [ms: number, layer: string, more: object];

/** The text of a trace of rows that says that it came to its end. */
export function traceText(rows: readonly Row[], header: object = {}): string {
  const first = { type: 'trace', version: 2, scenario: 's', layers: ['lab', 'vmm', 'guest'], expect: [], parts: {} };
  const lines = rows.map(([ms, layer, more], i) => ({
    seq: i + 1,
    t: Math.round(ms * 1e6),
    layer,
    source: 'console',
    ...more,
  }));
  const end = {
    seq: rows.length + 1,
    t: Math.round((rows.at(-1)?.[0] ?? 0) * 1e6),
    layer: 'lab',
    source: 'lab',
    name: 'lab.end',
  };
  return [{ ...first, ...header }, ...lines, end].map(line => `${JSON.stringify(line)}\n`).join('');
}

/** What a guest, a firmware or a mail may say to a page that shows it. */
export const NASTY: readonly string[] = [
  '<img src=x onerror="document.title=1">',
  '</script><script>document.title=1</script>',
  '<!--<script>',
  '"\'><svg onload=alert(1)>',
  'javascript:alert(1)',
  "$& $` $' $1 $<x>",
  '{{constructor.constructor("alert(1)")()}}',
  '\u202Egnp.exe\u202C',
  '\u0000\u0007\u001b]0;owned\u0007\u001b[31m',
  '\u200B\u2028\u2029\uFEFF\uD800',
  '&lt;b&gt; &#60;b&#62;',
  'data:text/html,<script>1</script>',
  `${'A'.repeat(20_000)}`,
];

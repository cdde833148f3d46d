/** @module `decode --explain`: what every code and term of the output means. The rooms explain their own; here they are joined. */
import { UsageError } from '@syndrome/decode/common/errors.ts';
import type { CodeExplanation } from '@syndrome/decode/decode/explain-code.ts';
import { allExplanations, explainTerm } from '@syndrome/decode/decode/explain-term.ts';
import { labelled, wrap } from '@syndrome/decode/decode/wrap.ts';
import { HTTP_ERROR_CODES } from '@syndrome/base/http/error-codes.ts';
import { STORE_ERROR_CODES } from '@syndrome/base/store/error-codes.ts';
import { GDB_ERROR_CODES } from '@syndrome/qemu/gdb/error-codes.ts';
import { GUEST_ERROR_CODES } from '@syndrome/lab/guest/error-codes.ts';
import { LAB_ERROR_CODES } from '@syndrome/lab/error-codes.ts';
import { SWEEP_ERROR_CODES } from '@syndrome/lab/sweep/error-codes.ts';
import { KNOWN_CAUSES } from '@syndrome/trace/expect/causes.ts';
import { EXPECTATION_TERMS, TRACE_NOTES, VERDICT_TERMS } from '@syndrome/trace/terms.ts';
import { LIBVIRT_ERROR_CODES } from '@syndrome/qemu/libvirt/error-codes.ts';
import { QMP_ERROR_CODES } from '@syndrome/qemu/qmp/error-codes.ts';
import { screenJson } from '@syndrome/lab/report/json.ts';
import { TRACE_ERROR_CODES } from '@syndrome/trace/error-codes.ts';
import { SUPPLY_ERROR_CODES } from '@syndrome/lab/supply/error-codes.ts';
import { AGENT_ERROR_CODES } from '@syndrome/supervisor/agent/error-codes.ts';
import { CONTROLLER_ERROR_CODES } from '@syndrome/supervisor/controller/error-codes.ts';
import { NOTIFY_ERROR_CODES } from '@syndrome/supervisor/notify/error-codes.ts';
import { POLICY_ERROR_CODES } from '@syndrome/supervisor/policy/error-codes.ts';
import { REST_ERROR_CODES } from '@syndrome/supervisor/rest/error-codes.ts';
import { SITE_ERROR_CODES } from '@syndrome/supervisor/site/error-codes.ts';
import { WIRE_ERROR_CODES } from '@syndrome/supervisor/wire/error-codes.ts';
import { WEB_ERROR_CODES } from '@syndrome/web/server/error-codes.ts';
import { VMM_ERROR_CODES } from '@syndrome/vmm/error-codes.ts';
import { CLI_ERROR_CODES } from './error-codes.ts';
import { EXIT_TEXT } from './exit-codes.ts';
import { print } from './output.ts';

/** The tables of errors, by what their rooms are about. */
const ERRORS: readonly (readonly [title: string, codes: Readonly<Record<string, string>>])[] = [
  ['command line', CLI_ERROR_CODES],
  ['QEMU monitor', QMP_ERROR_CODES],
  ['libvirt', LIBVIRT_ERROR_CODES],
  ['debugger', GDB_ERROR_CODES],
  ['packages', SUPPLY_ERROR_CODES],
  ['guest agent', GUEST_ERROR_CODES],
  ['reference VMM', VMM_ERROR_CODES],
  ['lab', LAB_ERROR_CODES],
  ['sweep', SWEEP_ERROR_CODES],
  ['trace', TRACE_ERROR_CODES],
  ['agent and controller', WIRE_ERROR_CODES],
  ['agent', AGENT_ERROR_CODES],
  ['controller', CONTROLLER_ERROR_CODES],
  ['notices', NOTIFY_ERROR_CODES],
  ['policy', POLICY_ERROR_CODES],
  ['API of the controller', REST_ERROR_CODES],
  ['site', SITE_ERROR_CODES],
  ['store', STORE_ERROR_CODES],
  ['server', HTTP_ERROR_CODES],
  ['files of the server', WEB_ERROR_CODES],
];

/** What the rooms outside of `decode` print. */
function machineTerms(): CodeExplanation[] {
  return [
    ...ERRORS.flatMap(([title, codes]) =>
      Object.entries(codes).map(([code, text]) => ({ code, kind: 'error', title: `error: ${title}`, text })),
    ),
    ...Object.entries(VERDICT_TERMS).map(([code, text]) => ({
      code,
      kind: 'verdict',
      title: 'verdict of a run',
      text,
    })),
    ...Object.entries(TRACE_NOTES).map(([code, text]) => ({ code, kind: 'diagnostic', title: 'trace', text })),
    ...Object.entries(EXPECTATION_TERMS).map(([code, text]) => ({
      code,
      kind: 'status',
      title: 'status of an expectation',
      text,
    })),
    ...KNOWN_CAUSES.map(({ id, text, history }) => ({
      code: id,
      kind: 'cause',
      title: 'known defect that a trace shows',
      text,
      source: history,
    })),
    ...EXIT_TEXT.flatMap(([codes, text]) =>
      codes.split(', ').map(code => ({ code, kind: 'exit code', title: 'exit code', text: `${text}.` })),
    ),
  ];
}

/** All meanings of a word in the output of any command; empty when it has none. */
export function explanationsOf(word: string): CodeExplanation[] {
  const own = machineTerms().filter(t => t.code.toLowerCase() === word.toLowerCase());
  const all = [...own, ...explainTerm(word)];
  const exact = all.filter(t => t.code === word);
  return exact.length > 0 ? exact : all;
}

/** Everything that has an entry of its own. */
export const everyExplanation = (): CodeExplanation[] => [...machineTerms(), ...allExplanations()];

const MANY = 8;

const wordsOf = (code: string): string[] => code.toLowerCase().split(/[^a-z0-9]+/);

/** Codes that hold the word, or most of its parts, the best first; else the one that is spelt most like it. */
async function near(word: string): Promise<string[]> {
  const wanted = wordsOf(word.slice(0, 100)).filter(part => part.length > 1);
  const codes = [...new Set(everyExplanation().map(e => e.code))];
  const scored = codes.map(code => {
    const parts = wordsOf(code);
    const shared = wanted.filter(w =>
      parts.some(p => p === w || (w.length > 3 && (p.startsWith(w) || distance1(p, w)))),
    );
    const inside = code.toLowerCase().includes(word.toLowerCase()) ? wanted.length : 0;
    return { code, score: (inside + shared.length) / (parts.length + wanted.length) };
  });
  const good = scored.filter(s => s.score >= 0.3).toSorted((a, b) => b.score - a.score);
  if (good.length > 0) return good.slice(0, MANY).map(s => s.code);
  const { nearest } = await import('@syndrome/decode/common/nearest.ts');
  const like =
    word.length < 4 || word.length > 100
      ? undefined
      : nearest(
          word.toUpperCase(),
          codes.map(c => c.toUpperCase()),
        );
  return codes.filter(c => c.toUpperCase() === like);
}

/** Whether one letter added, left out or changed, or two swapped, makes one word the other. */
function distance1(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const [restA, restB] = [a.slice(at), b.slice(at)];
  const swapped = (restA[1] ?? '') + (restA[0] ?? '') + restA.slice(2);
  return restA.slice(1) === restB || restA === restB.slice(1) || restA.slice(1) === restB.slice(1) || swapped === restB;
}

/** Prints all meanings of a word. @throws UsageError when it has none. */
export async function explain(word: string, { json = false }: { json?: boolean }): Promise<void> {
  const found = explanationsOf(word);
  if (found.length === 0) {
    const others = await near(word);
    throw new UsageError('E_USAGE', `no code or term ${word} is ever printed`, {
      hint:
        others.length > 0 ? `Close to it: ${others.join(', ')}.` : 'List all of them: syndrome decode --explain list.',
    });
  }
  found.forEach((one, i) => {
    if (json) {
      print(screenJson(one));
      return;
    }
    if (i > 0) print('');
    print(`${one.code}  ${one.title}`);
    for (const line of wrap(one.text, '  ')) print(line);
    if (one.source !== undefined) for (const line of labelled('source', one.source)) print(line);
  });
}

/** Prints every code and term: its name and what it is, grouped by that; with `json` the whole explanations. */
export function listExplanations({ json = false }: { json?: boolean }): void {
  const all = everyExplanation();
  if (json) {
    for (const one of all) print(screenJson(one));
    return;
  }
  const groups = Map.groupBy(all, headingOf);
  [...groups].forEach(([title, members], i) => {
    if (i > 0) print('');
    print(`${title}:`);
    if (members[0]?.kind === 'lint') {
      for (const { code, title: says } of members) for (const line of labelled(code, says, 31)) print(line);
    } else for (const line of wrap([...new Set(members.map(one => one.code))].join(', '), '  ')) print(line);
  });
}

/** What an entry is listed under. */
function headingOf({ kind, title }: CodeExplanation): string {
  if (kind === 'lint') return 'findings about records';
  if (kind === 'register') return 'registers';
  if (kind === 'field') return 'fields of registers';
  if (kind === 'exception class') return 'exception classes of arm64';
  return title;
}

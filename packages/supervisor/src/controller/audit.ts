/**
 * @module The audit: who has ordered what, and what came of it. Each entry is written in the transaction of what it tells of, and carries a hash of
 * itself and of the one before: what is changed, left out or put in afterwards breaks the chain. An end that is cut off is seen by whoever
 * has noted a number and its hash elsewhere.
 */
import { createHash } from 'node:crypto';
import type { Query, SqlRow } from '@syndrome/base/store/store.ts';
import type { Effect, Input } from '../core/input.ts';
import type { Policy } from '../core/policy.ts';
import { policyId } from '../core/step.ts';
import { toJson } from '../wire/json.ts';
import { inputBody } from './input-json.ts';
import type { PageOf } from './views.ts';

/** By which way something was asked for: the socket of the command line, the API, or nobody: the controller itself. */
type Via = 'socket' | 'api' | 'controller';
/** `stated`: it waits for another person. `denied`: no role covers it. */
type Outcome = 'done' | 'refused' | 'stated' | 'denied';

/** What an audit tells of one thing. */
interface AuditEntry {
  actor: string;
  via: Via;
  /** An order, `policy`, or what the API calls it. */
  action: string;
  outcome: Outcome;
  about: unknown;
}

/** Who asks, and what is written together with inputs, in their transaction. */
export interface Beside {
  actor: string;
  via: Via;
  /** For the audit: what no input says. */
  note?: { action: string; outcome: Outcome; about: unknown };
  /** May be called again where a commit had to be tried again. Must not fail where it is called twice. */
  write?: (query: Query, effects: readonly Effect[]) => Promise<void>;
}

const ALL = 'number, at, seq, actor, via, action, outcome, body, hash';

/** Of an entry, and of the one before it. */
const hashOf = (before: string, row: readonly unknown[]): string =>
  createHash('sha256')
    .update(JSON.stringify([before, ...row]))
    .digest('hex');

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What an input of a person is in the audit, with the hash of what the ledger has of it. */
type Ordered = Input & { input: 'order' | 'policy' };
export const isOrdered = (input: Input): input is Ordered => input.input === 'order' || input.input === 'policy';
const aboutOf = (input: Ordered): unknown => ({
  ...(input.input === 'order' ? { order: input.order } : { policy: idOf(input.policy) }),
  inputSha256: sha256(inputBody(input)),
});

/** What the core fails on is passed over by it, and is in the audit all the same. */
function idOf(policy: Policy): string {
  try {
    return policyId(policy);
  } catch {
    return 'none';
  }
}

/** Whether the core has refused what was ordered. */
export const isRefused = (effects: readonly Effect[]): boolean =>
  effects.some(e => e.effect === 'decision' && e.decision.inputs['refused'] === true);

/** The entry of an input that a person, or the configuration, has given. */
export const entryOf = (input: Ordered, effects: readonly Effect[], who: Beside | undefined): AuditEntry => ({
  actor: who?.actor ?? input.by,
  via: who?.via ?? 'controller',
  action: input.input === 'order' ? input.order.order : 'policy',
  outcome: isRefused(effects) ? 'refused' : 'done',
  about: aboutOf(input),
});

/**
 * Adds entries to the chain, in a transaction of the only one that may write.
 * @param at ms UTC
 */
export async function writeAudit(
  query: Query,
  entries: readonly { at: number; seq: number | undefined; entry: AuditEntry }[],
): Promise<void> {
  const [last] = await query('select number, hash from audit order by number desc limit 1');
  let [number, hash] = [Number(last?.['number'] ?? 0), String(last?.['hash'] ?? '')];
  for (const { at, seq = null, entry } of entries) {
    const { actor, via, action, outcome, about } = entry;
    const row = [++number, at, seq, actor, via, action, outcome, toJson(about)];
    hash = hashOf(hash, row);
    await query(`insert into audit(${ALL}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, [...row, hash]);
  }
}

/** An entry as it is read. */
export interface AuditView {
  number: number;
  at: number;
  seq?: number;
  actor: string;
  via: string;
  action: string;
  outcome: string;
  about: unknown;
  hash: string;
}

const numberOf = (value: unknown): number | null => (value === null || value === undefined ? null : Number(value));

const columnsOf = (row: SqlRow): unknown[] => [
  Number(row['number']),
  Number(row['at']),
  numberOf(row['seq']),
  row['actor'],
  row['via'],
  row['action'],
  row['outcome'],
  row['body'],
];

/** Entries of the audit, from one on. */
export async function auditPage(query: Query, { after, newestFirst, limit }: PageOf<number>): Promise<AuditView[]> {
  const [than, order] = newestFirst ? ['<', 'desc'] : ['>', 'asc'];
  const rows = await query(`select ${ALL} from audit where number ${than} $1 order by number ${order} limit $2`, [
    after ?? (newestFirst ? Number.MAX_SAFE_INTEGER : 0),
    limit,
  ]);
  return rows.map(row => {
    const seq = numberOf(row['seq']);
    return {
      number: Number(row['number']),
      at: Number(row['at']),
      ...(seq === null ? {} : { seq }),
      actor: String(row['actor']),
      via: String(row['via']),
      action: String(row['action']),
      outcome: String(row['outcome']),
      about: JSON.parse(String(row['body'])) as unknown,
      hash: String(row['hash']),
    };
  });
}

interface AuditReport {
  entries: number;
  /** Of the last one: noted elsewhere it shows later that nothing was cut off. */
  hash: string;
  /** What is wrong, a sentence each; none where all is well. */
  faults: string[];
}

const MAX_FAULTS = 5;
const AT_ONCE = 1000;
/** Orders of before the audit, which began with this entry, have none. */
const BEGIN = 'begin';

/** The first entry of an audit: from which input on there is one. */
export const beginning = (inputs: number): Beside => ({
  actor: 'controller',
  via: 'controller',
  note: { action: BEGIN, outcome: 'done', about: { inputs } },
});

/**
 * Goes through the whole chain, and through the orders of the ledger: each has its entry, and says still what it said.
 * @param expected numbers and hashes that were noted elsewhere
 */
export async function verifyAudit(
  query: Query,
  expected: ReadonlyMap<number, string> = new Map(),
): Promise<AuditReport> {
  const faults: string[] = [];
  let [number, hash, begun] = [0, '', Number.POSITIVE_INFINITY];
  for (let more = true; more; ) {
    const rows = await query(`select ${ALL} from audit where number > $1 order by number limit ${AT_ONCE}`, [number]);
    for (const row of rows) {
      const columns = columnsOf(row);
      const is = Number(row['number']);
      if (is !== number + 1) faults.push(`entries are missing before number ${is}`);
      if (hashOf(hash, columns) !== row['hash'])
        faults.push(`entry ${is} is not as it was written, or one before it was another`);
      number = is;
      hash = String(row['hash']);
      if (expected.has(is) && expected.get(is) !== hash) faults.push(`entry ${is} had the hash ${expected.get(is)}`);
      if (row['action'] === BEGIN) begun = Math.min(begun, inputsOf(row));
    }
    more = rows.length === AT_ONCE && faults.length < MAX_FAULTS;
  }
  for (const [n, h] of expected) if (n > number) faults.push(`entry ${n} is not there; it had the hash ${h}`);
  if (number > 0) faults.push(...(await ordersFaults(query, begun)));
  return { entries: number, hash, faults: faults.slice(0, 4 * MAX_FAULTS) };
}

function inputsOf(row: SqlRow): number {
  try {
    return Number((JSON.parse(String(row['body'])) as { inputs: number }).inputs);
  } catch {
    return 0;
  }
}

/** Orders without an entry, entries without an order, and orders that the ledger has otherwise than the audit. */
async function ordersFaults(query: Query, begun: number): Promise<string[]> {
  const faults: string[] = [];
  for (let seq = Number.isFinite(begun) ? begun : 0; ; ) {
    const rows = await query(
      `select i.seq, i.body, a.number, a.body as about from input i left join audit a on a.seq = i.seq
       where i.kind in ('order', 'policy') and i.seq > $1 order by i.seq limit ${AT_ONCE}`,
      [seq],
    );
    for (const row of rows) {
      seq = Number(row['seq']);
      if (row['number'] === null) faults.push(`input ${seq} is an order without an entry`);
      else if (!String(row['about']).includes(sha256(String(row['body']))))
        faults.push(`input ${seq} is not what entry ${String(row['number'])} says`);
      if (faults.length >= MAX_FAULTS) return faults;
    }
    if (rows.length < AT_ONCE) break;
  }
  const strays = await query(
    `select a.number from audit a left join input i on i.seq = a.seq
     where a.seq is not null and (i.seq is null or i.kind not in ('order', 'policy')) order by a.number limit ${MAX_FAULTS}`,
  );
  for (const row of strays) faults.push(`entry ${String(row['number'])} is of an input that is not there`);
  return faults;
}

/** @module What is in a ledger, and what in it does not fit together. Nothing is written. */
import type { SqlValue, Store } from '@syndrome/base/store/store.ts';
import { stepsDone } from '@syndrome/base/store/migrate.ts';
import { verifyAudit } from './audit.ts';
import { LEASE } from './lease-name.ts';
import { SCHEMA } from './schema.ts';
import { TABLES } from './tables.ts';

/** Faults that are told of one kind. */
const MAX_FAULTS = 5;

export interface LedgerReport {
  engine: string;
  /** What its own program says of itself. */
  version: string;
  /** Steps of the schema that were gone, and those that this version has. */
  schema: { done: number; known: number };
  /** Rows by table; empty before the first step. */
  tables: Record<string, number>;
  /** Who had it last; `live` while its time is not over. */
  lease?: { owner: string; epoch: number; live: boolean };
  /** Times of the first and the last input, ms UTC. */
  inputs?: { first: number; last: number };
  /** The last note of what was decided. */
  decided?: { decisions: number; hash: string };
  /** Acts that are not over, and notices that nobody has taken yet. */
  openActs: number;
  waiting: number;
  /** What does not fit together, a sentence each; none where all is well. */
  faults: string[];
}

/** What must give no row; of each row the first column says which it is. */
const RULES: readonly (readonly [fault: string, sql: string])[] = [
  [
    'inputs are missing before number',
    'select seq from (select seq, lag(seq, 1, 0) over (order by seq) as before from input) as i where before <> seq - 1 order by seq',
  ],
  [
    'decisions are missing before number',
    'select number from (select number, lag(number, 1, 0) over (order by number) as before from decision) as d where before <> number - 1 order by number',
  ],
  ...['mark', 'snapshot', 'decision', 'act', 'outbox'].map(
    table =>
      [
        `${table}: no such input as`,
        `select a.seq from ${table} a left join input b on b.seq = a.seq where b.seq is null order by a.seq`,
      ] as const,
  ),
  [
    'a spool is acknowledged further than its rows are here: that of host',
    `select s.host from spool s where s.upto > (select count(*) from input i where i.host = s.host and i.spool = s.name and i."row" <= s.upto)`,
  ],
  [
    'a row of a spool that nothing is known of: that of host',
    'select i.host from input i left join spool s on s.host = i.host and s.name = i.spool where i.host is not null and s.host is null',
  ],
  [
    'an act in no known state',
    `select id from act where state not in ('intent', 'sent', 'confirmed', 'failed', 'refused', 'unknown')`,
  ],
  ['a notice in no known state', `select id from outbox where state not in ('waiting', 'delivered')`],
  ['a text that is no JSON: input', `select seq from input where body not like '{%}'`],
];

/** @throws StoreError where the store does not answer; E_STORE_NEWER, E_STORE_CHANGED */
export async function lookThrough(store: Store): Promise<LedgerReport> {
  const { query, dialect } = store;
  const one = async (sql: string): Promise<Record<string, SqlValue> | undefined> => (await query(sql))[0];
  const faults = await ownFaults(store);
  const done = await stepsDone(store, SCHEMA);
  const version = await one(
    dialect.engine === 'sqlite' ? 'select sqlite_version() as v' : `select current_setting('server_version') as v`,
  );
  const report: LedgerReport = {
    engine: dialect.engine,
    version: String(version?.['v']),
    schema: { done, known: SCHEMA.length },
    tables: {},
    openActs: 0,
    waiting: 0,
    faults,
  };
  if (done === 0) return report;
  const count = async (what: string): Promise<number> =>
    Number((await one(`select count(*) as n from ${what}`))?.['n']);
  const there = new Set<string>();
  for (const { name } of TABLES) if ((await query(dialect.hasTable, [name])).length > 0) there.add(name);
  for (const name of there) report.tables[name] = await count(`"${name}"`);
  const [lease] = await query(`select owner, epoch, expires >= ${dialect.now} as live from lease where name = $1`, [
    LEASE,
  ]);
  if (lease !== undefined)
    report.lease = { owner: String(lease['owner']), epoch: Number(lease['epoch']), live: lease['live'] === 1n };
  const times = await one('select min(at) as a, max(at) as b from input');
  if (times?.['a'] !== null && times !== undefined)
    report.inputs = { first: Number(times['a']), last: Number(times['b']) };
  const mark = await one('select decisions, hash from mark order by seq desc limit 1');
  if (mark !== undefined) report.decided = { decisions: Number(mark['decisions']), hash: String(mark['hash']) };
  report.openActs = await count(`act where state in ('intent', 'sent')`);
  report.waiting = await count(`outbox where state = 'waiting'`);
  for (const [fault, sql] of RULES) {
    const rows = await query(`${sql} limit ${MAX_FAULTS + 1}`);
    for (const row of rows.slice(0, MAX_FAULTS)) faults.push(`${fault} ${String(Object.values(row)[0])}`);
    if (rows.length > MAX_FAULTS) faults.push(`${fault} …`);
  }
  if (done === SCHEMA.length) faults.push(...(await verifyAudit(query)).faults.map(fault => `audit: ${fault}`));
  return report;
}

/** What the engine says of its file. A server keeps watch over its own: its checksums, pg_amcheck. */
async function ownFaults({ query, dialect }: Store): Promise<string[]> {
  if (dialect.engine !== 'sqlite') return [];
  const rows = await query('pragma integrity_check(20)');
  return rows.map(row => String(row['integrity_check'])).filter(text => text !== 'ok');
}

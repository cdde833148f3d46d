/** @module What a ledger is made of, table by table, for whoever looks through it or carries it to another store. */
import { MEMBER } from './lease-name.ts';

type ColumnType = 'integer' | 'text';
export interface Table {
  name: string;
  columns: Readonly<Record<string, ColumnType>>;
  /** Columns by which a row is found, and after which rows are ordered. */
  key: readonly string[];
  /** The step of the schema with which it came, where that is not the first. */
  since?: number;
  /** Which of its rows are of the ledger: a condition. */
  only?: string;
}

/** The tables of `schema.ts`; a test holds them against what both engines have. */
export const TABLES: readonly Table[] = [
  {
    name: 'lease',
    columns: { name: 'text', owner: 'text', epoch: 'integer', expires: 'integer' },
    key: ['name'],
    only: `name not like '${MEMBER}%'`,
  },
  {
    name: 'input',
    columns: {
      seq: 'integer',
      at: 'integer',
      kind: 'text',
      host: 'text',
      spool: 'text',
      row: 'integer',
      body: 'text',
    },
    key: ['seq'],
  },
  { name: 'spool', columns: { host: 'text', name: 'text', upto: 'integer' }, key: ['host', 'name'] },
  { name: 'mark', columns: { seq: 'integer', decisions: 'integer', hash: 'text' }, key: ['seq'] },
  { name: 'snapshot', columns: { seq: 'integer', at: 'integer', body: 'text' }, key: ['seq'] },
  {
    name: 'decision',
    columns: { number: 'integer', seq: 'integer', incident: 'text', host: 'text', vm: 'text', body: 'text' },
    key: ['number'],
  },
  {
    name: 'act',
    columns: {
      id: 'text',
      seq: 'integer',
      host: 'text',
      vm: 'text',
      incident: 'text',
      kind: 'text',
      state: 'text',
      reason: 'text',
      body: 'text',
    },
    key: ['seq', 'id'],
  },
  {
    name: 'outbox',
    columns: {
      id: 'text',
      target: 'text',
      seq: 'integer',
      incident: 'text',
      state: 'text',
      attempts: 'integer',
      due: 'integer',
      done: 'integer',
      error: 'text',
      body: 'text',
    },
    key: ['seq', 'id', 'target'],
  },
  {
    name: 'audit',
    since: 2,
    columns: {
      number: 'integer',
      at: 'integer',
      seq: 'integer',
      actor: 'text',
      via: 'text',
      action: 'text',
      outcome: 'text',
      body: 'text',
      hash: 'text',
    },
    key: ['number'],
  },
  {
    name: 'attestation',
    since: 2,
    columns: {
      number: 'integer',
      id: 'text',
      at: 'integer',
      until: 'integer',
      vm: 'text',
      host: 'text',
      epoch: 'integer',
      statement: 'text',
      actor: 'text',
      state: 'text',
      confirmed_by: 'text',
      confirmation: 'text',
    },
    key: ['number'],
  },
  {
    name: 'answer',
    since: 2,
    columns: {
      actor: 'text',
      key: 'text',
      request: 'text',
      at: 'integer',
      status: 'integer',
      body: 'text',
    },
    key: ['actor', 'key'],
  },
];

/** The tables of a ledger that has gone so many steps. */
export const tablesOf = (steps: number): readonly Table[] => TABLES.filter(({ since = 1 }) => since <= steps);

/** Columns of a table as a statement names them; some are words of SQL. */
export const quoted = (columns: readonly string[]): string => columns.map(name => `"${name}"`).join(', ');

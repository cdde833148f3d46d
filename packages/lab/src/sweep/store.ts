/** @module What was measured, in a store: a cell by its identity, and where it lies in which space. */
import { join } from 'node:path';
import { insert } from '@syndrome/base/store/insert.ts';
import { migrate, type Migration } from '@syndrome/base/store/migrate.ts';
import { openStore } from '@syndrome/base/store/open.ts';
import type { SqlRow, SqlValue, Store } from '@syndrome/base/store/store.ts';
import { LEASE_TABLE } from '@syndrome/base/store/lease.ts';
import type { Outcome } from '@syndrome/trace/expect/outcome.ts';
import { stateFolder } from '../state-dir.ts';
import type { Genome } from './hunt/genome.ts';
import type { Corpus } from './hunt/corpus.ts';
import { type Agreement, AGREEMENTS } from './judge.ts';
import type { Observation } from './observation.ts';

const MIGRATIONS: readonly Migration[] = [
  {
    number: 1,
    name: 'cells, places, machines',
    statements: [
      ...LEASE_TABLE,
      `create table cell(identity text primary key, outcome text not null, signal text, page text, line text,
         lines text not null, evidence text not null, engine text not null, cpu_us bigint not null, took_us bigint not null,
         trace text, measured bigint not null)`,
      `create table place(space text not null, setup text not null, point text not null, identity text not null,
         primary key (space, setup, point))`,
      'create table setup(id text primary key, space text not null, name text not null, kernel text not null, parts text not null)',
    ],
  },
  { number: 2, name: 'how a cell was judged last', statements: ['alter table place add column agreement text'] },
  {
    number: 3,
    name: 'what hunts keep',
    statements: [
      `create table corpus(kernel text not null, genome text not null, features text not null, found bigint not null,
         primary key (kernel, genome))`,
    ],
  },
];

/** A measured cell. */
export interface MeasuredCell extends Observation {
  /** Of the run that measured it. */
  identity: string;
  engine: string;
  /** Of the whole run, s. */
  cpuSeconds: number;
  seconds: number;
  trace?: string;
}

/** A measured cell in its place: as it was judged last, where it was judged. */
export interface PlacedCell extends MeasuredCell {
  agreement?: Agreement;
}

/** A machine under a space: all that is measured of it is comparable. */
export interface Setup {
  /** 32 hex digits. */
  id: string;
  /** Digest of the space, and its name. */
  space: string;
  name: string;
  kernel: string;
  parts: Readonly<Record<string, string>>;
}

const text = (value: SqlValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined);

const rowOf = (cell: MeasuredCell): SqlValue[] => [
  cell.identity,
  cell.outcome,
  cell.signal ?? null,
  cell.page ?? null,
  cell.line ?? null,
  JSON.stringify(cell.lines),
  cell.evidence,
  cell.engine,
  Math.round(cell.cpuSeconds * 1e6),
  Math.round(cell.seconds * 1e6),
  cell.trace ?? null,
  Date.now(),
];

const cellOf = (row: SqlRow): MeasuredCell => {
  const optional = Object.fromEntries(
    (['signal', 'page', 'line', 'trace'] as const).flatMap(name => {
      const value = text(row[name]);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return {
    identity: String(row['identity']),
    outcome: String(row['outcome']) as Outcome,
    lines: JSON.parse(String(row['lines'])) as string[],
    evidence: String(row['evidence']),
    engine: String(row['engine']),
    cpuSeconds: Number(row['cpu_us']) / 1e6,
    seconds: Number(row['took_us']) / 1e6,
    ...optional,
  };
};

const COLUMNS = 'identity, outcome, signal, page, line, lines, evidence, engine, cpu_us, took_us, trace, measured';

/** The default store of this user. */
const sweepStorePath = (): string => join(stateFolder('sweep'), 'cells.sqlite');

/** Cells that wait for the disk are written together. */
export class SweepStore {
  readonly #store: Store;
  #waiting: { cell: MeasuredCell; setup: Setup; point: string; agreement: Agreement }[] = [];
  #writing: Promise<void> | undefined;

  private constructor(store: Store) {
    this.#store = store;
  }

  /** @param at the path of a file, or the URL of a PostgreSQL @throws StoreError */
  static async open(at: string = sweepStorePath()): Promise<SweepStore> {
    const store = await openStore({ at });
    try {
      await migrate(store, MIGRATIONS);
    } catch (error) {
      await store.close();
      throw error;
    }
    return new SweepStore(store);
  }

  /** Notes a machine under a space. */
  async setup({ id, space, name, kernel, parts }: Setup): Promise<void> {
    const row = [id, space, name, kernel, JSON.stringify(parts)];
    await this.#store.transaction(query =>
      insert(query, 'setup(id, space, name, kernel, parts)', [row], ' on conflict (id) do nothing'),
    );
  }

  /** Machines that are known for a space of this name; of all spaces without one. */
  async setups(name?: string): Promise<Setup[]> {
    const rows = await this.#store.query(
      'select id, space, name, kernel, parts from setup where $1 is null or name = $1',
      [name ?? null],
    );
    return rows.map(row => ({
      id: String(row['id']),
      space: String(row['space']),
      name: String(row['name']),
      kernel: String(row['kernel']),
      parts: JSON.parse(String(row['parts'])) as Record<string, string>,
    }));
  }

  /** All that is known of a machine, by point. */
  async known({ id, space }: Pick<Setup, 'id' | 'space'>): Promise<Map<string, PlacedCell>> {
    const rows = await this.#store.query(
      `select p.point as point, p.agreement as agreement, c.* from place p join cell c on c.identity = p.identity where p.space = $1 and p.setup = $2`,
      [space, id],
    );
    return new Map(
      rows.map(row => {
        const agreement = AGREEMENTS.find(one => one === row['agreement']);
        return [String(row['point']), { ...cellOf(row), ...(agreement === undefined ? {} : { agreement }) }];
      }),
    );
  }

  /** A cell by its identity: the same run may be known from another space. */
  async cell(identity: string): Promise<MeasuredCell | undefined> {
    const [row] = await this.#store.query(`select ${COLUMNS} from cell where identity = $1`, [identity]);
    return row === undefined ? undefined : cellOf(row);
  }

  /** Keeps a cell. It resolves when it is on disk; many at once are one write. */
  async add(
    setup: Setup,
    point: string,
    { agreement, ...cell }: MeasuredCell & { agreement: Agreement },
  ): Promise<void> {
    this.#waiting.push({ setup, point, cell, agreement });
    // Whoever comes while another writes is written with the next.
    await this.#writing;
    if (this.#waiting.length > 0) this.#writing ??= this.#write();
    await this.#writing;
  }

  async #write(): Promise<void> {
    const some = this.#waiting;
    this.#waiting = [];
    const cells = new Map(some.map(({ cell }) => [cell.identity, rowOf(cell)]));
    const places = new Map(
      some.map(({ setup, point, cell, agreement }) => [
        `${setup.id} ${point}`,
        [setup.space, setup.id, point, cell.identity, agreement],
      ]),
    );
    try {
      await this.#store.transaction(async query => {
        const sets = COLUMNS.split(', ').slice(1);
        await insert(
          query,
          `cell(${COLUMNS})`,
          [...cells.values()],
          ` on conflict (identity) do update set ${sets.map(c => `${c} = excluded.${c}`).join(', ')}`,
        );
        await insert(
          query,
          'place(space, setup, point, identity, agreement)',
          [...places.values()],
          ' on conflict (space, setup, point) do update set identity = excluded.identity, agreement = excluded.agreement',
        );
      });
    } finally {
      this.#writing = undefined;
    }
  }

  /** What hunts on a kernel have kept, in the order in which it was found. */
  corpus(kernel: string): Corpus {
    return {
      load: async () => {
        const rows = await this.#store.query('select genome, features from corpus where kernel = $1 order by found', [
          kernel,
        ]);
        return rows.map(row => ({
          genome: JSON.parse(String(row['genome'])) as Genome,
          features: JSON.parse(String(row['features'])) as string[],
        }));
      },
      keep: (genome, features) =>
        this.#store.transaction(query =>
          insert(
            query,
            'corpus(kernel, genome, features, found)',
            [[kernel, JSON.stringify(genome), JSON.stringify(features), Date.now()]],
            ' on conflict (kernel, genome) do nothing',
          ),
        ),
    };
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#store.close();
  }
}

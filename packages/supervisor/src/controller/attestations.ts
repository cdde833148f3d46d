/**
 * @module Statements that a copy of a VM has stopped, which two people make: what one has stated waits for another. Only then the core hears of it. They are
 * kept in the store, so that a controller that takes over has them.
 */
import { randomUUID } from 'node:crypto';
import type { Query, SqlRow } from '@syndrome/base/store/store.ts';
import type { Effect } from '../core/input.ts';
import { type Beside, isRefused } from './audit.ts';
import type { Desk } from './desk.ts';
import { ControllerError } from './errors.ts';
import type { PageOf } from './views.ts';

/** How long a statement waits, ms: what was seen an hour ago may be otherwise now. */
const WAITS_MS = 3_600_000;

interface Stated {
  vm: string;
  host: string;
  epoch: number;
  statement: string;
}

/** A statement, and what has become of it. */
export interface Attestation extends Stated {
  id: string;
  at: number;
  /** Until then it can be confirmed, ms UTC. */
  until: number;
  by: string;
  state: 'waiting' | 'over' | 'confirmed' | 'refused';
  confirmedBy?: string;
  confirmation?: string;
}

const ALL = 'number, id, at, until, vm, host, epoch, statement, actor, state, confirmed_by, confirmation';

function viewOf(row: SqlRow, now: number): Attestation & { number: number } {
  const [until, state] = [Number(row['until']), String(row['state']) as Attestation['state']];
  return {
    number: Number(row['number']),
    id: String(row['id']),
    at: Number(row['at']),
    until,
    vm: String(row['vm']),
    host: String(row['host']),
    epoch: Number(row['epoch']),
    statement: String(row['statement']),
    by: String(row['actor']),
    state: state === 'waiting' && until <= now ? 'over' : state,
    ...(row['confirmed_by'] === null ? {} : { confirmedBy: String(row['confirmed_by']) }),
    ...(row['confirmation'] === null ? {} : { confirmation: String(row['confirmation']) }),
  };
}

/** Statements, in the order in which they were made. */
export async function attestationsPage(
  { query, now }: Pick<Desk, 'query' | 'now'>,
  { after, newestFirst, limit }: PageOf<number>,
): Promise<(Attestation & { number: number })[]> {
  const [than, order] = newestFirst ? ['<', 'desc'] : ['>', 'asc'];
  const rows = await query(`select ${ALL} from attestation where number ${than} $1 order by number ${order} limit $2`, [
    after ?? (newestFirst ? Number.MAX_SAFE_INTEGER : 0),
    limit,
  ]);
  return rows.map(row => viewOf(row, now()));
}

/** The statement of this name. */
export async function attestationOf(
  { query, now }: Pick<Desk, 'query' | 'now'>,
  id: string,
): Promise<Attestation | undefined> {
  const [row] = await query(`select ${ALL} from attestation where id = $1`, [id]);
  return row && viewOf(row, now());
}

type Write = (query: Query, outcome: { attestation: Attestation; effects: readonly Effect[] }) => Promise<void>;

/**
 * Takes what the first person states. It is not stated where the core would refuse it as it is now.
 * @param write writes more in the same transaction
 * @throws ControllerError E_CONTROLLER_REFUSED
 */
export async function state(desk: Desk, actor: string, stated: Stated, write: Write): Promise<Attestation> {
  const { vm, host, epoch, statement } = stated;
  const would = desk.wouldWant({ input: 'order', by: actor, order: { order: 'attest', ...stated } });
  if (isRefused(would)) throw refusal(would);
  const at = desk.now();
  const attestation: Attestation = {
    ...stated,
    id: `att-${randomUUID()}`,
    at,
    until: at + WAITS_MS,
    by: actor,
    state: 'waiting',
  };
  await desk.put([], {
    actor,
    via: 'api',
    note: { action: 'attest', outcome: 'stated', about: { attestation: attestation.id, ...stated } },
    write: async query => {
      const [last] = await query('select max(number) as number from attestation');
      await query(
        `insert into attestation(${ALL}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', null, null) on conflict do nothing`,
        [Number(last?.['number'] ?? 0) + 1, attestation.id, at, attestation.until, vm, host, epoch, statement, actor],
      );
      await write(query, { attestation, effects: [] });
    },
  });
  return attestation;
}

/**
 * Takes what the second person says of it, and tells the core, with both names.
 * @throws ControllerError E_CONTROLLER_ASK where there is none of that name, E_CONTROLLER_REFUSED where it waits no more, or for somebody else
 */
export async function confirm(
  desk: Desk,
  actor: string,
  { id, confirmation }: { id: string; confirmation: string },
  write: Write,
): Promise<{ attestation: Attestation; effects: readonly Effect[] }> {
  const found = await attestationOf(desk, id);
  if (found === undefined) throw new ControllerError('E_CONTROLLER_ASK', 'there is no attestation of this name');
  const no = (why: string): ControllerError => new ControllerError('E_CONTROLLER_REFUSED', why);
  if (found.state !== 'waiting') throw no(`it waits for nobody any more: ${found.state}`);
  if (found.by === actor) throw no(`${actor} has stated it: another person has to confirm it`);
  const { vm, host, epoch } = found;
  const statement = `${found.by}: ${found.statement.slice(0, 240)} / ${actor}: ${confirmation.slice(0, 240)}`;
  const outcome = (effects: readonly Effect[]): Attestation => ({
    ...found,
    state: isRefused(effects) ? 'refused' : 'confirmed',
    confirmedBy: actor,
    confirmation,
  });
  const beside: Beside = {
    actor,
    via: 'api',
    write: async (query, effects) => {
      const attestation = outcome(effects);
      await query(`update attestation set state = $2, confirmed_by = $3, confirmation = $4 where id = $1`, [
        id,
        attestation.state,
        actor,
        confirmation,
      ]);
      await write(query, { attestation, effects });
    },
  };
  const order = { order: 'attest', vm, host, epoch, statement } as const;
  const effects = await desk.put([{ input: 'order', by: `${found.by} and ${actor}`, order }], beside);
  return { attestation: outcome(effects), effects };
}

/** The core's own words. */
function refusal(effects: readonly Effect[]): ControllerError {
  const decision = effects.find(e => e.effect === 'decision' && e.decision.inputs['refused'] === true);
  return new ControllerError(
    'E_CONTROLLER_REFUSED',
    decision?.effect === 'decision' ? decision.decision.why : 'the core refuses it',
  );
}

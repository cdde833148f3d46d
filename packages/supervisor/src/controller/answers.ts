/**
 * @module Answers to those who ask again under the same key (draft-ietf-httpapi-idempotency-key-header): what was ordered is not ordered twice. An answer
 * is written in the transaction of its order.
 */
import type { Query } from '@syndrome/base/store/store.ts';

/** How long an answer is kept, ms. */
const KEPT_MS = 7 * 86_400_000;

/** Who asks, under which key, what: its hash. */
export interface AskedUnder {
  actor: string;
  key: string;
  request: string;
}

interface GivenAnswer {
  status: number;
  body: string;
  /** Whether it is that of the same request. */
  same: boolean;
}

/** What was answered under a key. */
export async function answerUnder(query: Query, { actor, key, request }: AskedUnder): Promise<GivenAnswer | undefined> {
  const [row] = await query('select request, status, body from answer where actor = $1 and key = $2', [actor, key]);
  return row && { status: Number(row['status']), body: String(row['body']), same: row['request'] === request };
}

/** Keeps an answer, and forgets those of long ago. */
export async function keepAnswer(
  query: Query,
  { actor, key, request }: AskedUnder,
  at: number,
  { status, body }: { status: number; body: string },
): Promise<void> {
  await query(
    `insert into answer(actor, key, request, at, status, body) values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [actor, key, request, at, status, body],
  );
  await query('delete from answer where at < $1', [at - KEPT_MS]);
}

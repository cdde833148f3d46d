/** @module The decisions of a ledger as they are made: from the store, so that nobody who was away misses one. */
import type { ServerEvent } from '@syndrome/base/http/events.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import type { Desk } from '../controller/desk.ts';
import { decisionsPage } from '../controller/views.ts';
import { toJson } from '../wire/json.ts';
import { refuse } from './errors.ts';
import { shown } from './schemas.ts';

/** Decisions that are read at once. */
const AT_ONCE = 200;

/** @throws Refusal 400 where it is no number */
export function lastNumber(last: string | undefined): number | undefined {
  if (last === undefined || last === '') return undefined;
  if (/^\d{1,15}$/.test(last)) return Number(last);
  throw refuse(400, 'E_API_PARAMETER', 'Last-Event-ID: the number of a decision is expected');
}

/** Decisions behind the last that is known, and then each as it is committed, until the controller works no more. */
export async function* follow(
  desk: Desk,
  last: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent, void> {
  const ending = AbortSignal.any([signal, desk.over]);
  let wake = (): void => {};
  let news = true;
  const tell = (): void => {
    news = true;
    wake();
  };
  const leave = desk.onCommit(tell);
  ending.addEventListener('abort', tell, { once: true });
  try {
    const { count } = desk.state().decisions;
    let known = lastNumber(last) ?? count;
    // The ledger of a backup, or of another site.
    if (known > count) {
      known = count;
      yield { event: 'reset', id: String(count), data: toJson({ decisions: count }) };
    }
    while (!ending.aborted) {
      news = false;
      const read = await decisionsPage(desk.query, { after: known, newestFirst: false, limit: AT_ONCE });
      for (const decision of read) {
        known = decision.number;
        yield { event: 'decision', id: String(known), data: toJson(shown('Decision', decision)) };
      }
      if (read.length < AT_ONCE && !news && !ending.aborted) await new Promise<void>(resolve => (wake = resolve));
    }
  } catch (error) {
    // The page comes back and goes on from where it is; why it had to, nobody else tells.
    desk.log(`a stream of decisions ended: ${messageOf(error)}`);
    throw error;
  } finally {
    leave();
    ending.removeEventListener('abort', tell);
  }
}

/** @module Orders that are done once: by a key of the caller's, however often they are sent. One after the other. */
import { createHash } from 'node:crypto';
import { answerUnder, type AskedUnder, keepAnswer } from '../controller/answers.ts';
import type { Desk } from '../controller/desk.ts';
import { refuse } from './errors.ts';
import type { Reply } from './route.ts';
import { textOf } from './tag.ts';

/** What a key may be; the quotes of a structured field belong to it. */
export const KEY = /^[\x21-\x7e]{1,255}$/;
/** How long an order may take before its caller is told to ask again, ms. */
const PATIENCE_MS = 15_000;

/** An answer as it goes out. */
export interface Written {
  status: number;
  headers: Readonly<Record<string, string>>;
  text: string;
}

const writtenOf = ({ status, body, headers = {} }: Reply): Written => ({ status, headers, text: textOf(body) });

/** The key of a request, with what is asked under it. @throws Refusal 400 */
export function askedUnder(actor: string, key: string | undefined, request: readonly string[]): AskedUnder {
  if (key === undefined || !KEY.test(key))
    throw refuse(
      400,
      'E_API_KEY',
      'the header Idempotency-Key is missing, or is no text of 1 to 255 visible characters',
    );
  return { actor, key, request: createHash('sha256').update(JSON.stringify(request)).digest('hex') };
}

/** Orders one after the other. */
export class Once {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Has something done that was not done under its key, and keeps what was answered; else gives that.
   * @throws Refusal 422 where the key was used for another request, 503 where it takes too long; whatever `run` throws
   */
  async do(
    desk: Desk,
    under: AskedUnder,
    run: (keep: (query: Desk['query'], reply: Reply) => Promise<void>) => Promise<Reply>,
  ): Promise<Written> {
    const work = this.#last.then(async () => {
      const known = await answerUnder(desk.query, under);
      if (known !== undefined && !known.same) throw refuse(422, 'E_API_KEY', 'this key was used for another request');
      if (known !== undefined) {
        const { headers, text } = JSON.parse(known.body) as Written;
        return { status: known.status, headers: { ...headers, 'Idempotency-Replayed': 'true' }, text };
      }
      const keep = async (query: Desk['query'], reply: Reply): Promise<void> => {
        const { status, headers, text } = writtenOf(reply);
        await keepAnswer(query, under, desk.now(), { status, body: JSON.stringify({ headers, text }) });
      };
      return writtenOf(await run(keep));
    });
    this.#last = work.catch(() => {});
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const headers = { 'Retry-After': '5' };
        reject(refuse(503, 'E_API_SLOW', 'it is not durable yet: ask again with the same key', { headers }));
      }, PATIENCE_MS);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * @module What the command line asks a controller, over a socket of its own: one JSON object a line, answers in the order of
 * the questions. Who may connect is who may do anything: the user of the controller, and root.
 */
import { z } from 'zod';
import type { Order } from '../core/input.ts';
import { count, name, parseLine, toJson, words } from './json.ts';
import { orderSchema } from './order.ts';

/** Of a question, and of an answer. */
export const MAX_ASK_BYTES = 1024 * 1024;
export const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

/** What can be read: of the whole fleet, or of one thing. */
const LISTS = ['status', 'hosts', 'vms', 'pages', 'incidents', 'actions', 'outbox'] as const;
export type ListName = (typeof LISTS)[number];

/** `by` is who asks, as the asking program knows its user: it is written beside what is ordered. */
export type Question =
  | { ask: 'list'; list: ListName }
  /** An incident, or an action. */
  | { ask: 'explain'; id: string }
  /** `dryRun`: what would be decided now; nothing is. */
  | { ask: 'order'; by: string; order: Order; dryRun?: boolean }
  /** The text of a policy, and what its file is called in errors. */
  | { ask: 'policy'; by: string; policy: string; file?: string; dryRun?: boolean }
  /** Replays all inputs and compares. */
  | { ask: 'replay' }
  | { ask: 'backup'; path: string }
  /** Everything that is decided from now on, until the connection ends. */
  | { ask: 'subscribe' };

interface Ask {
  id: number;
  question: Question;
}

/** `event` is something that was subscribed to; it answers no question. */
export type Answer =
  | { id: number; result: unknown }
  | { id: number; error: { code: string; message: string; hint?: string | undefined } }
  | { event: unknown };

const dryRun = z.boolean().optional();

// Strict: what a question says more would be meant to change what is done.
const question = z.discriminatedUnion('ask', [
  z.strictObject({ ask: z.literal('list'), list: z.enum(LISTS) }),
  z.strictObject({ ask: z.literal('explain'), id: name }),
  z.strictObject({ ask: z.literal('order'), by: name, order: orderSchema, dryRun }),
  z.strictObject({
    ask: z.literal('policy'),
    by: name,
    policy: z.string().max(512 * 1024),
    file: words.optional(),
    dryRun,
  }),
  z.strictObject({ ask: z.literal('replay') }),
  z.strictObject({ ask: z.literal('backup'), path: words.min(1) }),
  z.strictObject({ ask: z.literal('subscribe') }),
]);

const askSchema = z.strictObject({ id: count, question }) as unknown as z.ZodType<Ask>;

const answerSchema = z.union([
  z.object({ id: count, result: z.unknown() }),
  z.object({ id: count, error: z.object({ code: name, message: words, hint: words.optional() }) }),
  z.object({ event: z.unknown() }),
]) as unknown as z.ZodType<Answer>;

/** @throws WireError E_WIRE_MESSAGE */
export const parseAsk = (line: string): Ask => parseLine(askSchema, line, 'a question');

/** @throws WireError E_WIRE_MESSAGE */
export const parseAnswer = (line: string): Answer => parseLine(answerSchema, line, 'an answer');

/** As a line, without its line feed. */
export const adminLine = (message: Ask | Answer): string => toJson(message);

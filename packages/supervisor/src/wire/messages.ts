/**
 * @module What agent and controller send each other: one JSON object a line. The agent says hello first; everything else it
 * sends is of the host and the spool that its hello names.
 */
import { z } from 'zod';
import type { Act } from '../core/act.ts';
import type { HostId, Time } from '../core/ids.ts';
import { orderSchema } from './act.ts';
import { count, name, parseLine, toJson, words } from './json.ts';
import { type BareRow, bareRowSchema, MAX_ROW_BYTES } from './row.ts';

/** Raised when the other side would misunderstand. Both refuse another one. 2: welcome and ping carry the controller's time, and a check knows CPU models. */
export const WIRE_VERSION = 2;
/** Rows of one message. */
export const MAX_ROWS = 1000;
/** Bytes of one line, either way: a message of rows ends before the row that would not fit. */
export const MAX_LINE_BYTES = 4 * MAX_ROW_BYTES;

/** What an agent sends. `rows` in the order of its spool; they may come again. `waiting`: rows of its spool that are not acknowledged. */
export type AgentMessage =
  | { type: 'hello'; version: number; host: HostId; spool: string; agent: string }
  | { type: 'rows'; rows: BareRow[] }
  | { type: 'pong'; n: number; waiting?: number };

/**
 * What a controller sends. `now` is its time, by which the deadlines of acts are. `welcome` and `ack` say up to which row everything of the spool is durable: those the agent may
 * forget. `act` may come again: the agent does it once for its id, and answers the same again; one of a kind that
 * it does not know, from a newer controller, it refuses. After `refused` it hangs up.
 */
export type ControllerMessage =
  | { type: 'welcome'; version: number; now: Time; upto: number }
  | { type: 'ack'; upto: number }
  | { type: 'act'; act: Act }
  | { type: 'ping'; n: number; now: Time }
  | { type: 'refused'; code: string; reason: string };

const fromAgent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), version: count, host: name, spool: name, agent: name }),
  z.object({ type: z.literal('rows'), rows: z.array(bareRowSchema).min(1).max(MAX_ROWS) }),
  z.object({ type: z.literal('pong'), n: count, waiting: count.optional() }),
]) as unknown as z.ZodType<AgentMessage>;

const fromController = z.discriminatedUnion('type', [
  z.object({ type: z.literal('welcome'), version: count, now: count, upto: count }),
  z.object({ type: z.literal('ack'), upto: count }),
  z.object({ type: z.literal('act'), act: orderSchema }),
  z.object({ type: z.literal('ping'), n: count, now: count }),
  z.object({ type: z.literal('refused'), code: name, reason: words }),
]) as unknown as z.ZodType<ControllerMessage>;

/** @throws WireError E_WIRE_MESSAGE */
export const parseAgentMessage = (line: string): AgentMessage => parseLine(fromAgent, line, 'a message of an agent');

/** @throws WireError E_WIRE_MESSAGE */
export const parseControllerMessage = (line: string): ControllerMessage =>
  parseLine(fromController, line, 'a message of the controller');

/** A message as a line, without its line feed. @throws WireError E_WIRE_VALUE */
export const messageLine = (message: AgentMessage | ControllerMessage): string => toJson(message);

/**
 * A message of rows out of lines that `rowLine` has made, as a spool keeps them.
 * @param lines at most {@link MAX_ROWS}, together within {@link MAX_LINE_BYTES}: see {@link fittingRows}
 */
export const rowsLine = (lines: readonly string[]): string => `{"type":"rows","rows":[${lines.join(',')}]}`;

/** How many of these lines fit into one message, from the first on: at least one. */
export function fittingRows(lines: readonly string[]): number {
  let bytes = 64;
  let fit = 0;
  for (const line of lines.slice(0, MAX_ROWS)) {
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > MAX_LINE_BYTES) break;
    fit++;
  }
  return fit;
}

/** @module Inputs of the core as they are kept, and back. The kind, the time and the place of a row have columns of their own. */
import type { Input } from '../core/input.ts';
import type { Time } from '../core/ids.ts';
import { toJson } from '../wire/json.ts';
import { parseRow } from '../wire/row.ts';
import { ControllerError } from './errors.ts';

/** Ticks that wanted nothing are kept together: with the next input that is written. */
export type Kept = Exclude<Input, { input: 'tick' }> | { input: 'ticks'; at: Time; times: readonly Time[] };

/** The text of an input, without what stands in its columns. */
export function inputBody(kept: Kept): string {
  if (kept.input === 'row') {
    const { seq, at, said } = kept.row;
    return toJson({ seq, at, said });
  }
  return toJson({ ...kept, input: undefined, at: undefined });
}

/** A row of the table of inputs. */
export interface InputRow {
  seq: number;
  at: Time;
  kind: string;
  host: string | null;
  spool: string | null;
  body: string;
}

/**
 * The inputs that {@link inputBody} has kept, one after the other.
 * @throws ControllerError E_CONTROLLER_STATE
 */
export function inputsOf({ seq, at, kind, host, spool, body }: InputRow): Input[] {
  try {
    if (kind === 'row') return [{ input: 'row', at, row: parseRow(body, host ?? '', spool ?? '') }];
    const data = JSON.parse(body) as object;
    if (kind === 'ticks') return (data as { times: Time[] }).times.map(time => ({ input: 'tick', at: time }));
    return [{ ...data, input: kind, at } as Input];
  } catch (cause) {
    throw new ControllerError('E_CONTROLLER_STATE', `input ${seq} (${kind}) cannot be read`, { cause });
  }
}

/** @module Acts and what became of them, on the wire. */
import { z } from 'zod';
import type { Act, ActResult } from '../core/act.ts';
import { ACT_KINDS, PROOF_KINDS, RESULT_STATES } from '../core/act.ts';
import { count, name, wide, words } from './json.ts';

/** A domain XML or a command line. */
const MAX_DEFINITION = 512 * 1024;
export const definition = z.string().max(MAX_DEFINITION);

const seen = z.record(z.string().max(64), words);

export const actSchema: z.ZodType<Act> = z.object({
  id: name,
  kind: z.enum(ACT_KINDS),
  host: name,
  vm: name.optional(),
  epoch: count,
  incident: name,
  deadline: count,
  definition: definition.optional(),
  to: name.optional(),
  pfn: wide.optional(),
  gpa: wide.optional(),
}) as z.ZodType<Act>;

const proof = z.object({
  kind: z.enum(PROOF_KINDS),
  vm: name,
  host: name,
  epoch: count,
  at: count,
  evidence: seen,
});

/** The members of an act's result, without their discriminator. */
export const resultMembers = {
  action: name,
  vm: name.optional(),
  epoch: count,
  state: z.enum(RESULT_STATES),
  reason: words.optional(),
  proof: proof.optional(),
  seen: seen.optional(),
} satisfies Record<keyof ActResult, z.ZodType>;

/** @module Acts and what became of them, on the wire. */
import { z } from 'zod';
import type { Act, ActResult, StopProof } from '../core/act.ts';
import { ACT_KINDS, PROOF_KINDS, RESULT_STATES } from '../core/act.ts';
import { count, name, parseLine, wide, words } from './json.ts';

/** A domain XML or a command line. */
const MAX_DEFINITION = 512 * 1024;
/** Files that a VM needs. */
export const MAX_NEEDS = 256;
export const definition = z.string().max(MAX_DEFINITION);

const seen = z.record(z.string().max(64), words);

const act = {
  id: name,
  kind: z.enum(ACT_KINDS),
  host: name,
  vm: name.optional(),
  epoch: count,
  incident: name,
  deadline: count,
  definition: definition.optional(),
  of: name.optional(),
  disks: z.array(words).max(1024).optional(),
  lease: z.object({ lockspace: name, hostId: count, fireSeconds: count }).optional(),
  needs: z.array(words).max(MAX_NEEDS).optional(),
  to: name.optional(),
  pfn: wide.optional(),
  gpa: wide.optional(),
} satisfies Record<keyof Act, z.ZodType>;

const actSchema = z.object(act) as unknown as z.ZodType<Act>;

/** An act as an agent takes it: of a kind that it may not know, which it refuses rather than hang up. */
export const orderSchema = z.object({ ...act, kind: name }) as unknown as z.ZodType<Act>;

const proof = {
  kind: z.enum(PROOF_KINDS),
  vm: name,
  host: name,
  epoch: count,
  at: count,
  evidence: seen,
} satisfies Record<keyof StopProof, z.ZodType>;

/** The members of an act's result, without their discriminator. */
export const resultMembers = {
  action: name,
  vm: name.optional(),
  epoch: count,
  state: z.enum(RESULT_STATES),
  reason: words.optional(),
  proof: z.object(proof).optional(),
  seen: seen.optional(),
} satisfies Record<keyof ActResult, z.ZodType>;

/** An act out of the store. @throws WireError E_WIRE_MESSAGE */
export const parseAct = (text: string): Act => parseLine(actSchema, text, 'an act');

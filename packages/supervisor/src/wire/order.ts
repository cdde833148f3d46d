/** @module What a person orders, on the wire. */
import { z } from 'zod';
import type { Order } from '../core/input.ts';
import { count, name, words } from './json.ts';

const reason = words.optional();

/** What one person may order alone. */
const ALONE = [
  z.strictObject({ order: z.literal('pause'), reason }),
  z.strictObject({ order: z.literal('resume') }),
  z.strictObject({ order: z.literal('drain'), host: name, reason }),
  z.strictObject({ order: z.literal('undrain'), host: name, reason }),
  z.strictObject({ order: z.literal('repaired'), host: name }),
  z.strictObject({
    order: z.literal('offline'),
    host: name,
    page: z.string().regex(/^0x[0-9a-f]{16}$/, 'a page frame number: 0x and 16 hex digits'),
    hard: z.boolean().optional(),
  }),
  z.strictObject({ order: z.literal('restart'), vm: name, reason }),
  z.strictObject({ order: z.literal('terminate'), vm: name, reason }),
  z.strictObject({ order: z.literal('planned-stop'), vm: name }),
  z.strictObject({ order: z.literal('breaker-close') }),
  z.strictObject({ order: z.literal('close'), incident: name, reason }),
] as const;

/** Any order but an attestation. */
export const orderAloneSchema = z.discriminatedUnion('order', ALONE) as unknown as z.ZodType<Order>;

export const orderSchema = z.discriminatedUnion('order', [
  ...ALONE,
  z.strictObject({ order: z.literal('attest'), vm: name, host: name, epoch: count, statement: words.min(1) }),
]) as unknown as z.ZodType<Order>;

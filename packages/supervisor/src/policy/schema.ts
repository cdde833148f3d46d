/** @module The form of a policy file. Its words are the documentation; it has no place for a command or a URL. */
import { z } from 'zod';
import { CONSEQUENCES, CORRECTED_BY, HOST_RUNGS, MODES, NO_POLICY, PAGE_RUNGS, RUNGS } from '../core/policy.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const MAX_MS = 366 * 86_400_000;

/** `90s`, `10m`, `24h`, `30d` as ms. */
const duration = z.string().transform((text, context) => {
  const [, number, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  const ms = Number(number) * (UNITS[unit ?? ''] ?? Number.NaN);
  if (Number.isSafeInteger(ms) && ms <= MAX_MS) return ms;
  context.addIssue({ code: 'custom', message: 'a time is a number and ms, s, m, h or d, a year at most: 10m' });
  return z.NEVER;
});

const amount = z.number().int().min(1).max(1_000_000_000);
const ruleName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'use lower-case letters, digits and dashes');
const within = duration.describe('counts only what happened within this time');

/** A rule that asks for nothing would always hold. */
const asks = (when: object): boolean => Object.keys(when).some(key => key !== 'within' && key !== 'correctedBy');
const ASKS = 'a rule has to ask for something';

const vmRule = z.strictObject({
  name: ruleName,
  of: z.literal('vm'),
  when: z
    .strictObject({
      errors: amount.describe('distinct pages, and errors without an address: one a minute at most').optional(),
      unlocated: amount.describe('errors without an address').optional(),
      within: within.optional(),
      consequence: z.array(z.enum(CONSEQUENCES)).min(1).describe('what became of the VM after an error').optional(),
      consumed: z.boolean().describe('bad data was used').optional(),
      recursive: z.boolean().describe('an error came while the guest handled one').optional(),
      hypervisor: z.boolean().describe("the VMM's own memory is hit").optional(),
    })
    .refine(asks, ASKS),
  do: z.enum(RUNGS).describe('the rung of the ladder'),
  drain: z.boolean().default(false).describe('close the host to new VMs too'),
  notice: duration.default(0).describe('how long before the act the owner is told, while the VM runs'),
  settle: duration.default(0).describe('how long a VM that is down is left alone: its dump'),
});

const hostRule = z.strictObject({
  name: ruleName,
  of: z.literal('host'),
  when: z
    .strictObject({
      errors: amount.describe('distinct bad pages of the host').optional(),
      sameDimm: amount.describe('of them, in one DIMM').optional(),
      within: within.optional(),
      corrected: amount.describe('corrected errors in one part').optional(),
      correctedBy: z.enum(CORRECTED_BY).describe('the part: page, row, bank, dimm or host').optional(),
      suspect: z.boolean().describe('its kernel could not take a page away').optional(),
      silent: duration.describe('no agent has been connected for so long').optional(),
    })
    .refine(asks, ASKS),
  do: z.enum(HOST_RUNGS),
});

const pageRule = z.strictObject({
  name: ruleName,
  of: z.literal('page'),
  when: z.strictObject({ corrected: amount, within }),
  do: z.enum(PAGE_RUNGS),
});

const percent = z.number().int().min(0).max(100);
const { budget, breaker, proofs, deadlines } = NO_POLICY;
const wait = duration.refine(ms => ms >= 1000, 'at least a second');

/** Everything beside the rules may be left out; then the careful values hold. */
export const policySchema = z.strictObject({
  schema: z.literal(1),
  name: ruleName,
  version: z.string().min(1).max(40).describe('stands in every decision, with a hash of the whole'),
  mode: z.enum(MODES).describe('observe: tell no customer; notify: tell; act: all that the rules say'),
  rules: z.array(z.discriminatedUnion('of', [vmRule, hostRule, pageRule])).max(200),
  budget: z
    .strictObject({
      moves: z.number().int().min(1).max(1000).default(budget.moves).describe('VMs acted on at the same time'),
      drainingPercent: percent.default(budget.drainingPercent),
      drainingAtLeast: z.number().int().min(0).max(1000).default(budget.drainingAtLeast),
    })
    .default(budget),
  breaker: z
    .strictObject({
      hosts: z.number().int().min(1).max(100_000).default(breaker.hosts),
      percent: percent.default(breaker.percent),
      within: duration.default(breaker.within),
      cooldown: duration.default(breaker.cooldown).describe('0s: only a person closes it'),
    })
    .default(breaker),
  proofs: z
    .strictObject({
      imageLock: z.enum(['never', 'one-kernel', 'tested']).default(proofs.imageLock),
      testedStorage: z.array(z.string().min(1).max(200)).max(1000).default([]),
      sanlock: z
        .boolean()
        .default(proofs.sanlock)
        .describe('the lease of a silent host has expired, and its watchdog was armed'),
      fence: z.boolean().default(proofs.fence).describe('power a host off that is to be left as a whole'),
    })
    .default(proofs),
  deadlines: z
    .strictObject({
      act: wait.default(deadlines.act),
      stop: wait.default(deadlines.stop),
      start: wait.default(deadlines.start),
      migrate: wait.default(deadlines.migrate),
      prove: wait.default(deadlines.prove),
      fence: wait.default(deadlines.fence),
    })
    .default(deadlines),
  reoffline: z.boolean().default(NO_POLICY.reoffline).describe('take known bad pages out of use after a reboot'),
});

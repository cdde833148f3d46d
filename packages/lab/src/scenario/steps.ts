import { z } from 'zod';

/**
 * The steps of a scenario: one schema each. What a step does is in ../steps/, under the same name.
 * A u64 is a number, a `0x…` text, or `$name` for a value saved by an earlier step.
 */
const u64 = z
  .union([
    // An editor's schema check sees large hex numbers as rounded doubles; here they arrive as exact text.
    z.number().min(0).refine(Number.isSafeInteger, 'write a number this large as 0x…'),
    z.string().regex(/^(0x[0-9a-fA-F]{1,16}|\d{1,20}|\$[A-Za-z][\w.]*)$/, 'expected 0x…, a number or $name'),
  ])
  .describe('a 64-bit value: 0x…, a number, or $name of a saved value');
const duration = z.string().regex(/^\d+(\.\d+)?(ms|s|m)$/, 'expected a duration such as 500ms, 10s or 2m');
const ident = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,14}$/, 'expected a short name: letters, digits, - and _');

export const stepSchemas = {
  spawn: z.strictObject({ process: ident }).describe('start a subject process in the guest'),
  map: z
    .strictObject({
      process: ident,
      as: ident.describe('saved as $as (physical address) and $as.virt'),
      pages: z.int().min(1).max(65536).default(1),
      size: z.enum(['4k', '2m', '1g']).default('4k'),
      sharing: z.enum(['private', 'shared', 'hugetlb']).default('private'),
      kill: z.enum(['early', 'late', 'default']).default('default').describe('PR_MCE_KILL policy of the process'),
    })
    .describe('map and fill pages in a subject process'),
  'on-signal': z
    .strictObject({ process: ident, action: z.enum(['report', 'default', 'exit']) })
    .describe('report: handler tells the lab and goes on; default: the kernel kills; exit: handler exits'),
  touch: z
    .strictObject({ process: ident, page: ident, write: z.boolean().default(false) })
    .describe('read (or write) the page once'),
  spin: z
    .strictObject({ process: ident, page: ident, cpu: z.int().min(0).max(63).default(0) })
    .describe('read the page in a loop in user mode on one CPU'),
  verify: z.strictObject({ process: ident, page: ident }).describe('is the pattern in the page intact?'),
  poison: z
    .strictObject({ process: ident, page: ident, how: z.enum(['madvise', 'soft-offline']).default('madvise') })
    .describe('madvise(MADV_HWPOISON) or madvise(MADV_SOFT_OFFLINE) by the process itself'),
  'check-interval': z
    .strictObject({ seconds: z.int().min(1).max(3600) })
    .describe('how often Linux polls the machine check banks'),
  interrupts: z
    .strictObject({
      match: z.string().min(1).max(40).describe('part of the line of /proc/interrupts'),
      as: ident.describe('name of the counter; a second reading tells the difference'),
      until: z.int().min(1).optional().describe('read again until the difference is at least this'),
      within: duration.default('30s'),
    })
    .describe('read a line of /proc/interrupts'),
  gpa2hpa: z
    .strictObject({ address: u64, as: ident.describe('saved as $as: the physical address in the host layer') })
    .describe('ask the VMM where a guest page is in the memory of its host (monitor command gpa2hpa)'),
  'host-poison': z
    .strictObject({
      address: u64.describe('a physical address of the host layer'),
      how: z.enum(['corrupt-pfn', 'soft-offline']).default('corrupt-pfn'),
    })
    .describe('in the host layer: poison a page with hwpoison_inject, or take it offline softly'),
  'read-msr': z
    .strictObject({
      layer: z.enum(['guest', 'host']).default('guest'),
      cpu: z.int().min(0).max(255).default(0),
      msr: u64.describe('address of the register, e.g. 0x179 for IA32_MCG_CAP'),
    })
    .describe('read a model-specific register through /dev/cpu/N/msr (module msr)'),
  'vmm-page': z
    .strictObject({ address: u64, as: ident.describe('saved as $as: the physical address in the host layer') })
    .describe('ask the reference VMM where a guest page is in the memory of its host'),
  'break-walk': z
    .strictObject({
      address: u64.describe(
        'guest physical address; all of its 2 MiB stand behind the table descriptor that is changed',
      ),
      within: duration.default('30s'),
    })
    .describe(
      'from outside, while the guest runs: point a stage-2 table descriptor at memory that is not there, so that the next walk is an external abort taken to EL2',
    ),
  'mend-walk': z
    .strictObject({})
    .describe('wait until the stage-2 descriptor is put back, which happens as soon as the error is consumed'),
  quarantine: z.strictObject({ address: u64 }).describe('tell the reference VMM to take a page out of the guest'),
  mcelog: z.strictObject({}).describe('read and decode the records that wait in /dev/mcelog of a Xen dom0'),
  'inject-mce': z
    .strictObject({
      record: z.string().optional().describe('a named record (`syndrome inject --list`); single values override it'),
      cpu: z.int().min(0).max(255).default(0),
      bank: z.int().min(0).max(255).optional(),
      status: u64.optional(),
      mcgstatus: u64.optional(),
      addr: u64.optional(),
      misc: u64.optional(),
      broadcast: z.boolean().default(false),
    })
    .describe('the monitor command mce: write a machine check bank and, if uncorrected, raise #MC'),
  'inject-ghes': z
    .strictObject({
      severity: z.enum(['recoverable', 'fatal', 'corrected', 'none']).default('recoverable'),
      address: u64.describe('physical address of the memory error'),
      errorType: z.int().min(0).max(15).default(3).describe('UEFI memory error type; 3 is multi-bit ECC'),
    })
    .describe('a CPER memory section through QMP inject-ghes-v2-error, into the layer right under the outer QEMU'),
  pause: z
    .strictObject({
      cpu: z.int().min(0).max(63).default(0),
      mode: z.enum(['any', 'user', 'kernel']).default('any').describe('what that CPU has to be running (x86)'),
      within: duration.default('20s'),
    })
    .describe('stop all virtual CPUs, at a moment when one of them is in user or kernel mode'),
  resume: z.strictObject({}).describe('let the virtual CPUs run again'),
  qmp: z
    .strictObject({ execute: z.string(), arguments: z.record(z.string(), z.unknown()).default({}) })
    .describe('any QMP command; 0x… text in its arguments is sent as a number'),
  hmp: z
    .strictObject({
      command: z.string().min(1),
      injects: z.boolean().default(false).describe('expectations count from here'),
    })
    .describe('any monitor command; mce counts as an injection'),
  wait: z
    .strictObject({ for: z.string().describe('a condition on an event'), within: duration })
    .describe('go on when the event has been seen; the lab gives up if it is not'),
  alive: z
    .strictObject({ within: duration.default('10s') })
    .describe('ask the guest whether it still answers: guest.alive, or guest.silent'),
  note: z.strictObject({ text: z.string() }).describe('a remark in the trace'),
} as const;

export type StepName = keyof typeof stepSchemas;
export type StepArgs<N extends StepName> = z.infer<(typeof stepSchemas)[N]>;
/** One step: its name and its checked arguments. */
export type Step = { [N in StepName]: { step: N; args: StepArgs<N> } }[StepName];

/** The union of all steps, each an object with exactly one key. */
export const stepSchema = z.union(
  Object.entries(stepSchemas).map(([key, schema]) => z.strictObject({ [key]: schema })) as unknown as [
    z.ZodObject,
    z.ZodObject,
    ...z.ZodObject[],
  ],
);

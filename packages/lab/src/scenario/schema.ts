import { z } from 'zod';
import { MAX_EXPECTATIONS } from '@syndrome/trace/expect/expectation.ts';
import { OUTCOMES } from '@syndrome/trace/expect/outcome.ts';
import { stepSchema } from './steps.ts';

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'use lower-case letters, digits and dashes');

/** The machine of a scenario: one QEMU process and its layers. */
export const machineSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('linux-guest').describe('Linux right under QEMU'),
    arch: z.enum(['x86_64', 'aarch64']).default('x86_64'),
    cpu: z
      .string()
      .default('Skylake-Server')
      .describe('QEMU -cpu model with features, e.g. EPYC or max,pauth-impdef=on'),
    cpus: z.int().min(1).max(8).default(2),
    memory: z.int().min(64).max(16384).default(256).describe('MiB'),
    firmware: z.boolean().default(false).describe('boot through UEFI with ACPI (aarch64)'),
    ras: z.boolean().default(false).describe('firmware-first RAS: HEST/GHES tables; needs firmware: true'),
    kernel: z.string().default('newest').describe('version, series such as 6.19, or newest'),
    flavour: z.enum(['cloud', 'generic']).default('cloud'),
    modules: z
      .array(z.string().regex(/^[\w-]+$/))
      .default([])
      .describe('kernel modules to load before the steps, in this order'),
    append: z.string().default('').describe('added to the kernel command line'),
    reboot: z
      .enum(['exit', 'reset'])
      .default('exit')
      .describe('what a guest reset does: end QEMU, or reset the machine'),
  }),
  z.strictObject({
    kind: z.literal('xen-dom0').describe('Xen under QEMU, Linux as dom0'),
    cpu: z.string().default('Skylake-Server'),
    cpus: z.int().min(1).max(8).default(2),
    memory: z.int().min(512).max(16384).default(1536).describe('MiB, of QEMU'),
    dom0Memory: z.int().min(256).max(8192).default(1024).describe('MiB, of dom0'),
    xen: z.string().default('4.20').describe('version on offer'),
    kernel: z.string().default('newest'),
    append: z.string().default('').describe('added to the dom0 kernel command line'),
    xenAppend: z.string().default('').describe('added to the Xen command line'),
    crashKernel: z.boolean().default(false).describe('dom0 loads a crash kernel: its own kernel, with the agent in it'),
  }),
  z.strictObject({
    kind: z.literal('amd-host').describe('emulated AMD-V: a Linux host with KVM, a QEMU in it, a Linux guest in that'),
    cpu: z.string().default('EPYC').describe('QEMU -cpu model of the host layer; svm and npt are added'),
    cpus: z.int().min(1).max(8).default(2),
    memory: z.int().min(512).max(16384).default(1536).describe('MiB, of the host layer'),
    kernel: z.string().default('newest').describe('of the host layer'),
    append: z.string().default('').describe('added to the kernel command line of the host layer'),
    guest: z
      .strictObject({
        cpu: z.string().default('host').describe('-cpu model of the guest'),
        cpus: z.int().min(1).max(4).default(1),
        memory: z.int().min(64).max(4096).default(256).describe('MiB'),
        kernel: z.string().default('newest'),
        modules: z
          .array(z.string().regex(/^[\w-]+$/))
          .default([])
          .describe('kernel modules of the guest to load, in this order'),
        append: z.string().default('').describe('added to the kernel command line of the guest'),
      })
      .prefault({}),
  }),
  z.strictObject({
    kind: z
      .literal('arm64-host')
      .describe('emulated EL2: a Linux host with KVM, the reference VMM in it, a Linux guest in that'),
    cpu: z.string().default('max,pauth-impdef=on').describe('QEMU -cpu model of the host layer'),
    cpus: z.int().min(1).max(8).default(2),
    memory: z.int().min(1024).max(16384).default(2048).describe('MiB, of the host layer'),
    kernel: z.string().default('newest').describe('of the host layer'),
    append: z.string().default('').describe('added to the kernel command line of the host layer'),
    firmware: z.boolean().default(false).describe('the host layer boots through UEFI with ACPI'),
    ras: z.boolean().default(false).describe('firmware-first RAS in the host layer; needs firmware: true'),
    vmm: z
      .strictObject({
        sea: z
          .enum(['auto', 'on', 'off'])
          .default('auto')
          .describe('take KVM_EXIT_ARM_SEA where the host kernel has it, demand it, or leave the capability off'),
        quarantine: z.enum(['now', 'on-request', 'off']).default('now').describe('what happens to a poisoned page'),
        maxErrors: z.int().min(1).max(1000).default(4),
      })
      .prefault({}),
    guest: z
      .strictObject({
        cpus: z.int().min(1).max(2).default(1),
        memory: z.int().min(128).max(4096).default(384).describe('MiB'),
        kernel: z.string().default('newest'),
        append: z.string().default('').describe('added to the kernel command line of the guest'),
      })
      .prefault({}),
  }),
]);

export type MachineSpec = z.infer<typeof machineSchema>;

const header = {
  name,
  title: z.string().max(100).describe('one line for lists'),
  about: z.string().describe('what is injected, into which layer'),
  why: z.string().describe('why this outcome: which rule of which consumer decides'),
  sources: z.array(z.string()).min(1).describe('manuals with section, or the code that decides'),
  machine: machineSchema,
  timeout: z.string().default('180s').describe('the whole run is given up after this long'),
  settle: z.string().default('200ms').describe('how long to keep watching after everything expected was seen'),
  expect: z
    .array(z.record(z.string(), z.string()))
    .min(1)
    .max(MAX_EXPECTATIONS)
    .describe('one key each: "within 10s", "never", "count 1 within 10s" or "count 1"; the value is a condition'),
  outcome: z.enum(OUTCOMES).describe('the worst that happens to the system'),
};

/** The shape of a file before its steps are looked at one by one (for errors that name the step). */
export const looseScenarioSchema = z.strictObject({
  ...header,
  steps: z.array(z.record(z.string(), z.unknown())).min(1),
});

/** The whole shape; `scenarios/scenario.schema.json` is made of it. */
const scenarioSchema = z.strictObject({ ...header, steps: z.array(stepSchema).min(1) });

/** JSON Schema (draft 2020-12) of a scenario file, for editors. */
export function scenarioJsonSchema(): object {
  const schema = z.toJSONSchema(scenarioSchema, { io: 'input' });
  return { ...schema, $id: 'scenario.schema.json', title: 'Syndrome scenario' };
}

/**
 * @module What is said between an agent and a program of the operator's that speaks for a hypervisor (docs/exec.md): one JSON object on its
 * standard input, one on its standard output, and it ends. A program is asked, and what counts is what is seen afterwards.
 */
import { z } from 'zod';
import { VM_STATES } from '../../core/said.ts';
import { definition, MAX_NEEDS } from '../../wire/act.ts';
import { eventSchema } from '../../wire/event.ts';
import { count, name, words } from '../../wire/json.ts';
import { EXEC_ACTS } from './acts-list.ts';

const MAX_VMS = 4096;
const MAX_EVENTS = 1000;

/** What every question has. */
const asked = {
  schema: z.literal(1),
  host: name.describe('the name of this host in its site'),
  deadlineMs: count.min(1).describe('the program is killed, with all that it started, after so many ms'),
};

/** A question, as the program gets it. */
export const askSchema = z.discriminatedUnion('do', [
  z.strictObject({ ...asked, do: z.literal('list').describe('all VMs of this host') }),
  z.strictObject({ ...asked, do: z.literal('look').describe('one VM, as it is now, not as it was'), vm: name }),
  z.strictObject({
    ...asked,
    do: z.literal('act'),
    id: name.describe(
      'the same for the same act, however often it is asked for: an act that was done is not done again',
    ),
    act: z.enum(EXEC_ACTS),
    vm: name,
    epoch: count.describe('grows with each start elsewhere; a program that keeps it refuses an older one'),
    definition: definition.optional().describe('of `start` and `migrate`: as `list` gave it on the other host'),
    to: name.optional().describe('of `migrate`: the host to move it to'),
  }),
]);
/** A question without what is the same in all of them. */
type Without<T> = T extends unknown ? Omit<T, keyof typeof asked> : never;
export type Ask = Without<z.infer<typeof askSchema>>;

/** One VM. Members that are not known may be left out, but those that decide. */
const execVmSchema = z.strictObject({
  vm: name.describe('its id: the same on every host, and never another one'),
  name: name.optional().describe('for people'),
  state: z.enum(VM_STATES).describe('as it is now; `gone`: this host has nothing of it'),
  pid: count
    .min(1)
    .optional()
    .describe('of the process that is the VM, on this host: without it no stop can be proven, and no reset seen'),
  definition: definition.optional().describe('what `start` needs on another host, without secrets; never looked into'),
  disks: z.array(words).max(1024).default([]).describe('as `storage` of the agents names them'),
  needs: z.array(words).max(MAX_NEEDS).optional().describe('files, by whole path, that a host must have to start it'),
  memoryBytes: count.default(0),
  cpuModel: name.optional(),
  autostart: z.boolean().describe('whether this host, or whatever manages it, would start it again by itself'),
  owner: words.optional().describe('another controller that restarts it: then it is only watched'),
  optedIn: z.boolean().default(false).describe('whether its owner wants it acted on'),
});
export type ExecVm = z.infer<typeof execVmSchema>;

/** What happened to a VM, for a program that can tell. */
const execEventSchema = z.strictObject({
  id: name.describe('its own for ever: an event that is told again is no new one'),
  vm: name,
  when: count.describe('ms UTC'),
  event: eventSchema.describe('name and fields of an event of the catalogue whose name begins with vmm.'),
});

/** Answers, by what was asked. */
export const ANSWERS = {
  list: z.strictObject({
    vms: z.array(execVmSchema).max(MAX_VMS),
    events: z.array(execEventSchema).max(MAX_EVENTS).default([]),
  }),
  look: execVmSchema,
  act: z.strictObject({
    id: name.describe('of the act that was asked for'),
    state: z
      .enum(['done', 'failed', 'refused', 'unknown'])
      .describe(
        '`done` is looked at; `refused`: nothing was done, and nothing will be; a `reset` counts with `done` alone',
      ),
    reason: words.optional().describe('for a person'),
  }),
} as const;
export type Answer<D extends keyof typeof ANSWERS> = z.infer<(typeof ANSWERS)[D]>;

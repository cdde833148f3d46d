import { z } from 'zod';
import { didYouMean } from '@syndrome/decode/common/nearest.ts';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { RegisterError } from '@syndrome/decode/registers/register.ts';
import type { MceInjection } from '@syndrome/decode/inject/injection.ts';
import { statusOfWords } from '@syndrome/decode/inject/machine-check.ts';
import { mceInjection } from '@syndrome/decode/inject/mce.ts';
import { fieldsOf } from '@syndrome/decode/inject/ways.ts';
import { NAMED_MCA, namedMca } from '@syndrome/decode/mca/named.ts';
import { injectMce as inject } from '@syndrome/qemu/qmp/mce.ts';
import { machineCheckLegs } from '../outlook/machine-check.ts';
import { u64 } from './arguments.ts';
import { type ArgumentFault, defineStep, type Value } from './step.ts';
import { valueIn } from './values.ts';

const schema = z
  .strictObject({
    record: z.string().optional().describe('a named record (`syndrome inject --list`); single values override it'),
    fields: z
      .string()
      .optional()
      .describe('in place of record: fields of MCi_STATUS and MCG_STATUS, `VAL UC=1 MCACOD=0x134 RIPV`'),
    vendor: z.enum(['intel', 'amd']).optional().describe('whose names the fields have; intel by default'),
    cpu: z.int().min(0).max(255).default(0),
    bank: z.int().min(0).max(255).optional(),
    status: u64.optional(),
    mcgstatus: u64.optional(),
    addr: u64.optional(),
    misc: u64.optional(),
    broadcast: z.boolean().default(false),
  })
  .describe('the monitor command mce: write a machine check bank and, if uncorrected, raise #MC');

type Args = z.infer<typeof schema>;

/** What the words for fields say; undefined where there are none. @throws UsageError, RegisterError */
const registersOf = ({ fields, vendor = 'intel' }: Args): ReturnType<typeof statusOfWords> | undefined =>
  fields === undefined ? undefined : statusOfWords(fields.split(' ').filter(Boolean), vendor);

function faults(args: Args): ArgumentFault[] {
  const { record, status, fields } = args;
  if (fields !== undefined) {
    if (record !== undefined || status !== undefined) return [{ message: 'give a named record, a status or fields' }];
    try {
      registersOf(args);
    } catch (error) {
      if (!(error instanceof UsageError || error instanceof RegisterError)) throw error;
      return [
        { argument: 'fields', message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) },
      ];
    }
    return [];
  }
  if (record === undefined) {
    return status === undefined ? [{ message: 'give a named record, fields, or at least a status' }] : [];
  }
  const known = NAMED_MCA.map(r => r.name);
  if (known.includes(record)) return [];
  return [{ argument: 'record', message: `there is no record "${record}"`, hint: didYouMean(record, known) }];
}

function injection(args: Args, value: Value): MceInjection {
  const { record, cpu, bank, status, mcgstatus, addr, misc, broadcast } = args;
  const given = (argument: string | number | undefined): bigint | undefined =>
    argument === undefined ? undefined : value(argument);
  const registers = registersOf(args);
  return mceInjection({
    named: record === undefined ? undefined : namedMca(record),
    cpu,
    bank,
    status: given(status) ?? registers?.status,
    mcgStatus: given(mcgstatus) ?? registers?.mcgStatus,
    addr: given(addr),
    misc: given(misc),
    broadcast,
  });
}

export const injectMce = defineStep({
  name: 'inject-mce',
  schema,
  faults,
  injection,
  legs: (plan, { addr }) => machineCheckLegs(plan, addr),
  legsOfSecond: (plan, { addr }, earlier) => machineCheckLegs(plan, addr, earlier),
  run: async (session, args) => {
    const made = injection(args, valueIn(session));
    session.note('lab.injected', fieldsOf(made));
    const result = await inject(session.qmp, made);
    session.tape.hmp(result.output);
  },
});

import { z } from 'zod';
import { cxlCommand, NEWER_ARGUMENT } from '@syndrome/decode/inject/cxl.ts';
import type { CxlInjection } from '@syndrome/decode/inject/injection.ts';
import { fieldsOf, recordOf } from '@syndrome/decode/inject/ways.ts';
import { CXL_EVENTS, CXL_LOGS } from '@syndrome/decode/registers/cxl-reports.ts';
import { QmpCommandError } from '@syndrome/qemu/qmp/errors.ts';
import { type Legs, type Plan, those } from '../outlook/scene.ts';
import { u64 } from './arguments.ts';
import { type ArgumentFault, defineStep, type Value } from './step.ts';
import { valueIn } from './values.ts';

/** The device of the machine kind cxl-guest. */
const PATH = '/machine/peripheral/cxl-mem0';

const schema = z
  .strictObject({
    event: z.enum(CXL_EVENTS),
    log: z.enum(CXL_LOGS).optional().describe('of an event of the medium; failure and fatal are uncorrectable ones'),
    dpa: u64.optional().describe('address within the device; of an event of the medium and of poison'),
    region: u64.optional().describe('$name of cxl-region: dpa is then an address of the machine within that region'),
    error: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,47}$/)
      .optional()
      .describe("QEMU's name of a protocol error: mem-data-ecc, cache-data-parity, retry-threshold"),
  })
  .describe('what the CXL memory device of the machine reports: an event of its log, poison, a protocol error');

type Args = z.infer<typeof schema>;

const isProtocol = ({ event }: Pick<Args, 'event'>): boolean => event === 'correctable' || event === 'uncorrectable';

function injection({ event, log, dpa, region, error }: Args, value: Value): CxlInjection {
  const medium = event === 'general-media' || event === 'dram';
  return {
    way: 'cxl',
    event,
    path: PATH,
    ...(medium ? { log: log ?? 'warning' } : {}),
    ...(isProtocol({ event }) ? {} : { dpa: BigInt.asUintN(64, value(dpa ?? 0) - value(region ?? 0)) }),
    ...(error === undefined ? {} : { error }),
  };
}

function faults({ event, log, dpa, region, error }: Args): ArgumentFault[] {
  const wrong: ArgumentFault[] = [];
  if (isProtocol({ event }) && error === undefined) wrong.push({ message: `event: ${event} needs an error` });
  if (isProtocol({ event }) && dpa !== undefined)
    wrong.push({ argument: 'dpa', message: `event: ${event} has no dpa` });
  if (!isProtocol({ event }) && error !== undefined) {
    wrong.push({ argument: 'error', message: `event: ${event} has no error` });
  }
  if (region !== undefined && dpa === undefined) wrong.push({ argument: 'region', message: 'region: needs a dpa' });
  if (log !== undefined && event !== 'general-media' && event !== 'dram') {
    wrong.push({ argument: 'log', message: `event: ${event} goes into no log` });
  }
  return wrong;
}

function legs(plan: Plan): Legs | undefined {
  const { facts, before, after } = plan;
  const record = recordOf(plan.injection);
  if (record === undefined || facts.cxl === undefined) return undefined;
  const linux = {
    ...facts.cxl,
    ...(those(before, 'cxl-unmasked').length > 0 ? { cxlMasked: false } : {}),
    cxlListRead: those(after, 'cxl-list-read').length > 0,
  };
  return [[{ journey: { record, consumer: 'linux', layers: { linux } }, victim: { settings: {}, reads: false } }]];
}

export const injectCxl = defineStep({
  name: 'inject-cxl',
  schema,
  faults,
  injection,
  legs,
  run: async (session, args) => {
    const made = injection(args, valueIn(session));
    const { execute, arguments: given } = cxlCommand(made);
    session.note('lab.injected', fieldsOf(made));
    try {
      await session.outer.execute(execute, given);
    } catch (error) {
      if (!(error instanceof QmpCommandError && error.message.includes(`'${NEWER_ARGUMENT}' is unexpected`)))
        throw error;
      const { [NEWER_ARGUMENT]: _, ...older } = given;
      await session.outer.execute(execute, older);
    }
  },
});

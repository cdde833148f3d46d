/** @module Rows of a spool as lines, both ways: the spool's own file and the wire to the controller have the same form. */
import { z } from 'zod';
import type { HostId } from '../core/ids.ts';
import type { HostReport, LeaseReport, Row, SeenEvent, SourceState, VmReport } from '../core/said.ts';
import { SOURCES, VM_STATES } from '../core/said.ts';
import { definition, MAX_NEEDS, resultMembers } from './act.ts';
import { WireError } from './errors.ts';
import { eventSchema } from './event.ts';
import { count, name, parseLine, toJson, wide, words } from './json.ts';

/** Of one row as JSON. A row is bounded before it is spooled: one that nobody takes would stand in the way for ever. */
export const MAX_ROW_BYTES = 1024 * 1024;

/** Poisoned pages of a host that are told at once: 256 MiB of small pages. */
const MAX_PAGES = 65_536;
/** Lockspaces of sanlock that an agent may be set up to watch. */
export const MAX_LEASES = 64;

const source = z.enum(SOURCES);

/** The members of a kind of row: all of them, so that none is lost on the way. */
type Members<T> = Record<Exclude<keyof T, 'kind'>, z.ZodType>;

const seenEvent = {
  source,
  event: eventSchema,
  vm: name.optional(),
  when: count.optional(),
  count: count.min(1).optional(),
  pfn: wide.optional(),
  gpa: wide.optional(),
  where: z.object({ dimm: words.optional(), bank: words.optional(), row: words.optional() }).optional(),
  order: z.number().int().min(0).max(63).optional(),
  raw: words.optional(),
} satisfies Members<SeenEvent>;

const sourceState = {
  source,
  vm: name.optional(),
  state: z.enum(['reading', 'lost', 'back', 'stalled', 'spool-full', 'ended']),
  gapMs: count.optional(),
  lostEvents: count.optional(),
  reason: words.optional(),
} satisfies Members<SourceState>;

const leaseReport = {
  lockspace: name,
  hostId: count,
  generation: count,
  owner: words.optional(),
  ioTimeout: count,
  watchdog: z.object({ fireSeconds: count, device: words }).optional(),
  unarmed: words.optional(),
} satisfies Record<keyof LeaseReport, z.ZodType>;

const hostReport = {
  boot: name,
  arch: z.enum(['x86-64', 'arm64']),
  kernel: words,
  memoryBytes: count,
  freeBytes: count,
  cpuModels: z.array(name).max(1024),
  storage: z.array(words).max(4096),
  unapplied: z.array(wide).max(MAX_PAGES).optional(),
  counters: z.record(z.string().max(128), z.number()).optional(),
  leases: z.array(z.object(leaseReport)).max(MAX_LEASES).optional(),
} satisfies Members<HostReport>;

const vmReport = {
  vm: name,
  name,
  state: z.enum(VM_STATES),
  reason: words.optional(),
  pid: count.optional(),
  startTicks: z.string().max(32).optional(),
  vmm: z.enum(['qemu', 'libvirt', 'reference', 'exec']),
  definition: definition.optional(),
  disks: z.array(words).max(1024),
  needs: z.array(words).max(MAX_NEEDS).optional(),
  memoryBytes: count,
  cpuModel: name.optional(),
  autostart: z.boolean(),
  onCrash: words.optional(),
  owner: words.optional(),
  optedIn: z.boolean(),
  canQuarantine: z.boolean().optional(),
  epoch: count,
} satisfies Members<VmReport>;

const saidSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('event'), ...seenEvent }),
  z.object({ kind: z.literal('source'), ...sourceState }),
  z.object({ kind: z.literal('host'), ...hostReport }),
  z.object({ kind: z.literal('vm'), ...vmReport }),
  z.object({ kind: z.literal('result'), ...resultMembers }),
]);

/** A row of a spool whose host and name are known already: the connection has said them. */
export const bareRowSchema = z.object({ seq: count.min(1), at: count, said: saidSchema });

/** What of a row is written: host and spool are those of the file or the connection. */
export type BareRow = Pick<Row, 'seq' | 'at' | 'said'>;

/**
 * A row as a line, without its line feed.
 * @throws WireError E_WIRE_VALUE for what {@link parseRow} would refuse: it shall never get into a spool
 * @example rowLine({ seq: 1, at: Date.now(), said: { kind: 'source', source: 'kmsg', state: 'reading' } })
 */
export function rowLine({ seq, at, said }: BareRow): string {
  const line = toJson({ seq, at, said });
  if (Buffer.byteLength(line) > MAX_ROW_BYTES)
    throw new WireError('E_WIRE_VALUE', `a row of ${Buffer.byteLength(line)} bytes; at most ${MAX_ROW_BYTES} fit`);
  try {
    parseRow(line, '', '');
  } catch (cause) {
    throw new WireError('E_WIRE_VALUE', `a row that no controller would take`, { cause });
  }
  return line;
}

/** The row of a line of {@link rowLine}. @throws WireError E_WIRE_MESSAGE */
export const parseRow = (line: string, host: HostId, spool: string): Row => ({
  host,
  spool,
  ...(parseLine(bareRowSchema, line, 'a row') as BareRow),
});

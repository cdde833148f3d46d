/** @module The way of QMP `cxl-inject-…`, into an emulated CXL memory device. Sources: QEMU qapi/cxl.json; CXL 3.1, 8.2.9.2.1. */
import { hex64 } from '../common/hex.ts';
import { CXL_EVENTS, CXL_LOGS } from '../registers/cxl-reports.ts';
import type { CxlInjection } from './injection.ts';
import { u64Of } from './way.ts';
import type { WayOf } from './way.ts';

const COMMANDS = {
  'general-media': 'cxl-inject-general-media-event',
  dram: 'cxl-inject-dram-event',
  poison: 'cxl-inject-poison',
  correctable: 'cxl-inject-correctable-error',
  uncorrectable: 'cxl-inject-uncorrectable-errors',
} as const satisfies Record<CxlInjection['event'], string>;

/** Bytes that poison is told of: CXL 3.1, 8.2.9.9.4.1. */
const POISON_BYTES = 64;
/** Memory event descriptor, bit 0: uncorrectable (CXL 3.1, table 8-45). */
const UNCORRECTABLE = 1;
/** Memory event type 0 ECC error, transaction type 1 host read, sub-type 0 not reported (same table). */
const MEDIUM = { type: 0, 'transaction-type': 1, 'sub-type': 0 };
/** Where in the module it is; any place will do. */
const PLACE = { channel: 3, rank: 1 };
/** What QEMU 11.1 wants to have, and older ones do not know. */
export const NEWER_ARGUMENT = 'sub-type';

/** Of the size that the protocol has for the header of an access (CXL 3.1, 8.2.4.17.7). */
const HEADER = Array.from({ length: 32 }, (_, i) => i);

/** The QMP command and its arguments. */
export function cxlCommand({ event, path, log = 'warning', dpa = 0n, error = '' }: CxlInjection): {
  execute: string;
  arguments: Record<string, unknown>;
} {
  const descriptor = log === 'failure' || log === 'fatal' ? UNCORRECTABLE : 0;
  const record = { path, log, flags: 1, dpa, descriptor, ...MEDIUM, ...PLACE };
  const rest = {
    'general-media': { ...record, device: 5 },
    dram: { ...record, 'nibble-mask': 1, 'bank-group': 2, bank: 1, row: 0x2a, column: 0x11 },
    poison: { path, start: dpa, length: POISON_BYTES },
    correctable: { path, type: error },
    uncorrectable: { path, errors: [{ type: error, header: HEADER }] },
  } as const satisfies Record<CxlInjection['event'], Record<string, unknown>>;
  return { execute: COMMANDS[event], arguments: rest[event] };
}

const WORDS: Readonly<Record<CxlInjection['event'], string>> = {
  'general-media': 'a general media event',
  dram: 'a DRAM event',
  poison: 'an entry in the poison list',
  correctable: 'a correctable protocol error',
  uncorrectable: 'an uncorrectable protocol error',
};

/** QMP takes an address as a number; one that JSON cannot write exactly is shown in hexadecimal. */
const jsonNumber = (_key: string, value: unknown): unknown =>
  typeof value !== 'bigint' ? value : value > BigInt(Number.MAX_SAFE_INTEGER) ? hex64(value) : Number(value);

const ERROR = /^[a-z][a-z0-9-]{0,47}$/;
/** A path in QEMU's object tree. */
const PATH = /^\/[\w/.-]{1,127}$/;

export const CXL: WayOf<CxlInjection> = {
  command: injection => JSON.stringify(cxlCommand(injection), jsonNumber),
  record: ({ event, log, dpa, error }) => ({
    kind: 'cxl',
    event,
    ...(log === undefined ? {} : { log }),
    ...(dpa === undefined ? {} : { dpa }),
    ...(error === undefined ? {} : { error }),
  }),
  words: ({ event, log, dpa, error }) =>
    [
      `${WORDS[event]} of a CXL memory device`,
      ...(error === undefined ? [] : [`(${error})`]),
      ...(log === undefined ? [] : [`in its ${log} log`]),
      ...(dpa === undefined ? [] : [`at device address ${hex64(dpa)}`]),
    ].join(' '),
  fields: ({ way, event, path, log, dpa, error }) => ({
    kind: way,
    record: event,
    path,
    ...(log === undefined ? {} : { severity: log }),
    ...(dpa === undefined ? {} : { dpa }),
    ...(error === undefined ? {} : { error }),
  }),
  read: fields => {
    const event = CXL_EVENTS.find(e => e === fields['record']);
    const { path, error } = fields;
    const log = CXL_LOGS.find(l => l === fields['severity']);
    const dpa = fields['dpa'] === undefined ? undefined : u64Of(fields['dpa']);
    if (fields['kind'] !== 'cxl' || event === undefined || typeof path !== 'string' || !PATH.test(path))
      return undefined;
    if (error !== undefined && (typeof error !== 'string' || !ERROR.test(error))) return undefined;
    return {
      way: 'cxl',
      event,
      path,
      ...(log === undefined ? {} : { log }),
      ...(dpa === undefined ? {} : { dpa }),
      ...(error === undefined ? {} : { error }),
    };
  },
};

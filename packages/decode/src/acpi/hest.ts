/**
 * @module The hardware error source table, both ways. Of its sources the generic ones are read: by them firmware hands
 * over a record. Sources: ACPI 6.5, 18.3.2 "ACPI Error Source", 18.3.2.7 and 18.3.2.8 "Generic Hardware Error Source"
 * (version 2), 18.3.2.9 "Hardware Error Notification".
 */
import { u16, u32, u64, u8, writeLayout } from '../cper/layout.ts';
import type { CperKept, Layout } from '../cper/layout.ts';
import { concat } from '../cper/x86.ts';
import type { AcpiDiagnostic, AcpiRead } from './error.ts';
import { ADDRESS, decodeTable, encodeTable, headerOf, readFields } from './table.ts';
import type { AcpiAddress, AcpiHeader } from './table.ts';

/** How firmware tells that there is a record. Source: ACPI 6.5, table "Hardware Error Notification Structure". */
const NOTIFICATIONS: Readonly<Record<number, string>> = {
  0: 'polled',
  1: 'external interrupt',
  2: 'local interrupt',
  3: 'SCI',
  4: 'NMI',
  5: 'CMCI',
  6: 'MCE',
  7: 'GPIO signal',
  8: 'Armv8 SEA',
  9: 'Armv8 SEI',
  10: 'external interrupt, GSIV',
  11: 'software delegated exception',
};

const SOURCE: Layout = {
  name: 'generic hardware error source',
  source: 'ACPI 6.5 18.3.2.7',
  length: 20,
  fields: [
    u16('type', 0),
    u16('sourceId', 2),
    u16('relatedSourceId', 4),
    u8('flags', 6),
    u8('enabled', 7),
    u32('recordsToPreallocate', 8),
    u32('maxSectionsPerRecord', 12),
    u32('maxRawDataLength', 16),
  ],
};
const NOTIFICATION: Layout = {
  name: 'hardware error notification',
  source: 'ACPI 6.5 18.3.2.9',
  length: 28,
  fields: [
    u8('type', 0, { values: NOTIFICATIONS }),
    u8('length', 1),
    u16('configurationWriteEnable', 2),
    u32('pollInterval', 4),
    u32('vector', 8),
    u32('switchToPollingThreshold', 12),
    u32('switchToPollingWindow', 16),
    u32('errorThreshold', 20),
    u32('errorThresholdWindow', 24),
  ],
};
const BLOCK_LENGTH: Layout = {
  name: 'error status block length',
  source: 'ACPI 6.5 18.3.2.7',
  length: 4,
  fields: [u32('statusBlockLength', 0)],
};
const ACKNOWLEDGEMENT: Layout = {
  name: 'read acknowledgement',
  source: 'ACPI 6.5 18.3.2.8',
  length: 16,
  fields: [u64('preserve', 0), u64('write', 8)],
};

/** Type of a generic source, and of its version 2. */
const GENERIC = 9;
const GENERIC_V2 = 10;
const NOTIFICATION_AT = SOURCE.length + ADDRESS.length;
const BLOCK_LENGTH_AT = NOTIFICATION_AT + NOTIFICATION.length;
const GENERIC_LENGTH = BLOCK_LENGTH_AT + BLOCK_LENGTH.length;
const ACKNOWLEDGEMENT_AT = GENERIC_LENGTH + ADDRESS.length;
const GENERIC_V2_LENGTH = ACKNOWLEDGEMENT_AT + ACKNOWLEDGEMENT.length;

/** How a source tells of a record. */
interface ErrorNotification {
  type: number;
  configurationWriteEnable: number;
  /** Milliseconds. */
  pollInterval: number;
  vector: number;
  switchToPollingThreshold: number;
  switchToPollingWindow: number;
  errorThreshold: number;
  errorThresholdWindow: number;
  length?: number;
  kept?: CperKept;
}

/** A generic hardware error source. */
interface GenericSource {
  sourceId: number;
  /** 0xffff: there is none. */
  relatedSourceId: number;
  flags: number;
  enabled: number;
  recordsToPreallocate: number;
  maxSectionsPerRecord: number;
  maxRawDataLength: number;
  /** A register that holds the address of the generic error status block. */
  errorStatusAddress: AcpiAddress;
  notification: ErrorNotification;
  /** Bytes of the block. */
  statusBlockLength: number;
  /** Of version 2: how the reader of a record says that it has it. */
  acknowledgement?: { register: AcpiAddress; preserve: bigint; write: bigint };
}

interface Hest {
  header?: AcpiHeader;
  sources: readonly GenericSource[];
}

/** A source that the operating system looks at every `pollInterval` ms. */
export function polledSource(
  sourceId: number,
  errorStatusAddress: AcpiAddress,
  { pollInterval, blockLength }: { pollInterval: number; blockLength: number },
): GenericSource {
  return {
    sourceId,
    relatedSourceId: 0xffff,
    flags: 0,
    enabled: 1,
    recordsToPreallocate: 1,
    maxSectionsPerRecord: 1,
    maxRawDataLength: blockLength,
    errorStatusAddress,
    notification: {
      type: 0,
      configurationWriteEnable: 0,
      pollInterval,
      vector: 0,
      switchToPollingThreshold: 0,
      switchToPollingWindow: 0,
      errorThreshold: 0,
      errorThresholdWindow: 0,
    },
    statusBlockLength: blockLength,
  };
}

function encodeSource(source: GenericSource): Uint8Array {
  const { errorStatusAddress, notification, statusBlockLength, acknowledgement, ...fields } = source;
  return concat([
    writeLayout(SOURCE, { ...fields, type: acknowledgement === undefined ? GENERIC : GENERIC_V2 }),
    writeLayout(ADDRESS, errorStatusAddress),
    writeLayout(NOTIFICATION, { length: NOTIFICATION.length, ...notification }),
    writeLayout(BLOCK_LENGTH, { statusBlockLength }),
    ...(acknowledgement === undefined
      ? []
      : [
          writeLayout(ADDRESS, acknowledgement.register),
          writeLayout(ACKNOWLEDGEMENT, { preserve: acknowledgement.preserve, write: acknowledgement.write }),
        ]),
  ]);
}

/** The bytes of a HEST. */
export function encodeHest({ header = headerOf('HEST'), sources }: Hest): Uint8Array {
  const count = new Uint8Array(4);
  new DataView(count.buffer).setUint32(0, sources.length, true);
  return encodeTable(header, count, ...sources.map(encodeSource));
}

function sourceAt(bytes: Uint8Array, at: number, v2: boolean, diagnostics: AcpiDiagnostic[]): GenericSource {
  const read = <T>(layout: Layout, offset: number): T => readFields<T>(layout, bytes, at + offset, diagnostics);
  const { type: _, ...fields } = read<Omit<GenericSource, 'acknowledgement'> & { type: number }>(SOURCE, 0);
  const notification = read<ErrorNotification>(NOTIFICATION, NOTIFICATION_AT);
  if (notification.length === NOTIFICATION.length) delete notification.length;
  return {
    ...fields,
    errorStatusAddress: read(ADDRESS, SOURCE.length),
    notification,
    ...read<{ statusBlockLength: number }>(BLOCK_LENGTH, BLOCK_LENGTH_AT),
    ...(v2
      ? {
          acknowledgement: {
            register: read<AcpiAddress>(ADDRESS, GENERIC_LENGTH),
            ...read<{ preserve: bigint; write: bigint }>(ACKNOWLEDGEMENT, ACKNOWLEDGEMENT_AT),
          },
        }
      : {}),
  };
}

/**
 * Reads a HEST up to the first source that is not a generic one: only its own type says how long a source is.
 * Never throws.
 */
export function decodeHest(table: Uint8Array): AcpiRead<Hest> {
  const { value, diagnostics } = decodeTable('HEST', table);
  if (value === undefined) return { value, diagnostics };
  const { header, body, at: base } = value;
  if (body.length < 4) {
    diagnostics.push({ code: 'E_ACPI_TRUNCATED', message: 'the count of error sources is cut off', offset: base });
    return { value: { header, sources: [] }, diagnostics };
  }
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const count = view.getUint32(0, true);
  const sources: GenericSource[] = [];
  let at = 4;
  while (at + 2 <= body.length) {
    const type = view.getUint16(at, true);
    const length = type === GENERIC ? GENERIC_LENGTH : type === GENERIC_V2 ? GENERIC_V2_LENGTH : undefined;
    if (length === undefined) {
      diagnostics.push({ code: 'E_ACPI_SOURCE', message: `an error source of type ${type}`, offset: base + at });
      break;
    }
    if (at + length > body.length) {
      diagnostics.push({ code: 'E_ACPI_TRUNCATED', message: 'an error source is cut off', offset: base + at });
      break;
    }
    sources.push(sourceAt(body, at, type === GENERIC_V2, diagnostics));
    at += length;
  }
  if (count !== sources.length) {
    const message = `the table counts ${count} error sources, ${sources.length} were read`;
    diagnostics.push({ code: 'W_ACPI_COUNT', message, offset: base });
  }
  return { value: { header, sources }, diagnostics };
}

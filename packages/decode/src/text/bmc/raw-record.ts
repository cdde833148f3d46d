/**
 * @module System event records that nobody put into words, as bytes: what `ipmitool raw 0x0a 0x43` answers, records alone, and the files
 * of `ipmitool sel save`. Source: IPMI 2.0 31.5 (Get SEL Entry), table 32-1 (SEL event records), table 29-6 (event data), table 42-3
 * (sensor types 07h, 0Ch, 0Fh and 13h with their offsets).
 */

import { bit, bits, defineRegister } from '../../registers/register.ts';

const EVENT_DATA_1 = defineRegister({
  name: 'Event Data 1',
  width: 8,
  source: 'IPMI 2.0 table 29-6',
  fields: [
    bits(7, 6, 'DATA_2', 'what event data 2 is'),
    bits(5, 4, 'DATA_3', 'what event data 3 is: 2 of the maker, 3 of the sensor type'),
    bits(3, 0, 'OFFSET', 'which event of the sensor type it is'),
  ],
});
/** The module, by the numbers of the specification. */
const OF_SENSOR = 3n;

/** Event message revision and sensor type, within the row. */
export const RAW_NEEDLES: readonly string[] = ['0c', '07', '13', '0C', '0f', '0F'].flatMap(type => [
  ` 04 ${type} `,
  `0x04 0x${type} `,
]);

/** Bytes in hex, perhaps with the words of `sel save` behind them. */
const ROW = /^\s{0,8}(?:rcvd: )?((?:0x)?[0-9a-f]{2}(?: {1,2}(?:0x)?[0-9a-f]{2}){6,19})\s{0,4}(#.{0,128})?$/i;
const REST = /^\s{0,8}((?:0x)?[0-9a-f]{2} {1,2}(?:0x)?[0-9a-f]{2})\s*$/i;
/** System event record. */
const TYPE = 0x02;
const REVISION = 0x04;
const LENGTH = 16;
const SENSOR_SPECIFIC = 0x6f;

const SENSORS = { 0x07: 'processor', 0x0c: 'memory', 0x13: 'interrupt', 0x0f: 'firmware' } as const;
type SensorType = (typeof SENSORS)[keyof typeof SENSORS];

/** By the offset in the low half of event data 1; others are no error. */
const WORDS: Readonly<Record<SensorType, Readonly<Record<number, string>>>> = {
  memory: {
    0: 'Correctable ECC',
    1: 'Uncorrectable ECC',
    2: 'Parity',
    3: 'Memory Scrub Failed',
    4: 'Memory Device Disabled',
    5: 'Correctable ECC logging limit reached',
  },
  processor: {
    0: 'IERR',
    0xb: 'Uncorrectable machine check exception',
    0xc: 'Correctable machine check error',
  },
  interrupt: {
    2: 'I/O Channel check NMI',
    4: 'PCI PERR',
    5: 'PCI SERR',
    7: 'Bus Correctable error',
    8: 'Bus Uncorrectable error',
    9: 'Fatal NMI',
    0xa: 'Bus Fatal Error',
  },
  // Which error it is stands in event data 2.
  firmware: {},
};
/** System firmware error, by event data 2 where that is an extension of the event (bits 7:6 of event data 1 are 11b). */
const FIRMWARE_ERROR = 0;
const FIRMWARE_WORDS: Readonly<Record<number, string>> = { 2: 'No usable system memory' };
const EXTENDED = 3n;

/** The words of an event; undefined for offsets that are no error. */
function wordsOf(type: SensorType, data1: number, data2: number): string | undefined {
  const { OFFSET, DATA_2 } = EVENT_DATA_1.read(BigInt(data1));
  if (type !== 'firmware') return WORDS[type][Number(OFFSET)];
  return Number(OFFSET) === FIRMWARE_ERROR && DATA_2 === EXTENDED ? FIRMWARE_WORDS[data2] : undefined;
}

const EVENT_TYPE = defineRegister({
  name: 'Event Dir and Event Type',
  width: 8,
  source: 'IPMI 2.0 table 32-1',
  fields: [bit(7, 'DEASSERTED', 'the event ended'), bits(6, 0, 'TYPE', '6fh: an event of the own kind of its sensor')],
});

/** Whether an event type byte says that the event ended. */
export const hasEnded = (eventType: number): boolean => EVENT_TYPE.read(BigInt(eventType)).DEASSERTED;

/**
 * The words of IPMI 2.0 table 42-3 for what event data 1 says; undefined for other sensors, other event types, and offsets that are no
 * error.
 *
 * @param eventType the byte with the direction in bit 7, `0x6f` for an event of the sensor's own kind
 * @param data1 its low half is the offset
 * @example wordsOfData('memory', 0x6f, 0x20, 0xff) // → 'Correctable ECC'
 */
export function wordsOfData(type: string, eventType: number, data1: number, data2: number): string | undefined {
  if (eventType !== SENSOR_SPECIFIC) return undefined;
  const sensor = Object.values(SENSORS).find(t => t === type);
  return sensor === undefined ? undefined : wordsOf(sensor, data1, data2);
}

interface RawEvent {
  message: string;
  type: SensorType;
  sensor: string;
  time?: string;
  data: string;
  entry?: number;
  label?: string;
}

const hex = (n: number): string => n.toString(16).padStart(2, '0');

/** The bytes of a row; undefined for other text. `cut`: the last two of them stand in the next line. */
export function rawBytes(text: string): { bytes: number[]; cut: boolean } | undefined {
  const m = ROW.exec(text);
  if (m === null) return undefined;
  const all = (m[1] ?? '').split(/ {1,2}/).map(d => Number.parseInt(d, 16));
  // The answer of freeipmi's ipmi-raw begins with command and completion code, both answers with the next record.
  const bytes = all.length === LENGTH + 4 && all[0] === 0x43 && all[1] === 0 ? all.slice(4) : all;
  if (bytes.length === LENGTH + 2) return { bytes: bytes.slice(2), cut: false };
  if (bytes.length === LENGTH && bytes[2] === TYPE && bytes[9] === REVISION) return { bytes, cut: false };
  if (bytes.length === LENGTH && bytes[4] === TYPE && bytes[11] === REVISION)
    return { bytes: bytes.slice(2), cut: true };
  // `ipmitool sel save` leaves out record, time and generator.
  const isSaved = bytes.length === 7 && m[2] !== undefined && (m[1] ?? '').startsWith('0x');
  return isSaved ? { bytes: [0, 0, TYPE, 0, 0, 0, 0, 0, 0, ...bytes], cut: false } : undefined;
}

/** The rest of a record that the line before began. */
export function rawRest(text: string): number[] | undefined {
  const m = REST.exec(text);
  return m === null ? undefined : (m[1] ?? '').split(/ {1,2}/).map(d => Number.parseInt(d, 16));
}

/** Types of records of makers, whose bytes are their own. IPMI 2.0 table 32-1. */
const FIRST_OEM = 0xc0;
/** Event types: thresholds, generic ones, the sensor's own, those of makers. IPMI 2.0 table 42-1. */
const LAST_GENERIC = 0x0c;
const FIRST_MAKER = 0x70;

/** Whether 16 bytes are a record of an event log. */
function isRecord(bytes: Uint8Array, at: number): boolean {
  const type = bytes[at + 2] ?? 0;
  const id = (bytes[at] ?? 0) + (bytes[at + 1] ?? 0);
  if (id === 0 || id === 2 * 0xff) return false;
  if (type >= FIRST_OEM) return true;
  const event = Number(EVENT_TYPE.read(BigInt(bytes[at + 12] ?? 0)).TYPE);
  const isEvent = (event > 0 && event <= LAST_GENERIC) || event === SENSOR_SPECIFIC || event >= FIRST_MAKER;
  return type === TYPE && (bytes[at + 9] === REVISION || bytes[at + 9] === 0x03) && isEvent;
}

/**
 * Whether bytes are what `ipmitool sel writeraw` writes: records of 16 bytes one behind another, and nothing else.
 * @param more whether bytes follow
 */
export function looksLikeSel(bytes: Uint8Array, more: boolean): boolean {
  const count = Math.floor(bytes.length / LENGTH);
  // One record alone is whole, or anything.
  if (count === 0 || (count === 1 && !more && bytes.length % LENGTH !== 0)) return false;
  let events = 0;
  for (let i = 0; i < count; i++) {
    if (!isRecord(bytes, i * LENGTH)) return false;
    if (bytes[i * LENGTH + 2] === TYPE) events++;
  }
  return events > 0;
}
/** Length of a record in bytes. */
export const SEL_BYTES = LENGTH;

/** What a record of 16 bytes says of memory, processors or buses; undefined for other events and for those that ended. */
export function rawEvent(bytes: readonly number[]): RawEvent | undefined {
  const [sensorType = 0, sensor = 0, event = 0, data1 = 0, data2 = 0, data3 = 0] = bytes.slice(10);
  // Its high bit says that the event ended.
  if (bytes.length !== LENGTH || bytes[2] !== TYPE || bytes[9] !== REVISION || event !== SENSOR_SPECIFIC)
    return undefined;
  const type = SENSORS[sensorType as keyof typeof SENSORS] as SensorType | undefined;
  const { DATA_3 } = EVENT_DATA_1.read(BigInt(data1));
  const message = type === undefined ? undefined : wordsOf(type, data1, data2);
  if (type === undefined || message === undefined) return undefined;
  const seconds = [6, 5, 4, 3].reduce((sum, at) => sum * 256 + (bytes[at] ?? 0), 0);
  const entry = (bytes[0] ?? 0) + (bytes[1] ?? 0) * 256;
  // Below 20000000h a time is one since the controller started, FFFFFFFFh none. IPMI 2.0 37.1.
  const isTime = seconds > 0x2000_0000 && seconds !== 0xffff_ffff;
  const module = type === 'memory' && DATA_3 === OF_SENSOR ? `Memory Device ${data3}` : undefined;
  return {
    message: module === undefined ? message : `${message}, ${module}`,
    type,
    sensor: `#0x${hex(sensor)}`,
    ...(isTime ? { time: new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ') } : {}),
    data: [data1, data2, data3].map(hex).join(''),
    ...(entry === 0 ? {} : { entry }),
    ...(module === undefined ? {} : { label: module }),
  };
}

/** @module A record as a hash that a person can read, and that the decoder reads: `#decode?status=0x…&addr=0x…&vendor=amd`. */
import { hex64, stringify } from '@syndrome/decode/common/hex.ts';
import { MCA_REGISTERS, type X86McaRecord } from '@syndrome/decode/mca/record.ts';
import type { ArmSeaRecord } from '@syndrome/decode/arm/record.ts';
import { DECODED_SCHEMA_VERSION, type DecodedRecord, rawData } from '@syndrome/decode/decode/record.ts';

/** More is never put into an address. */
const MOST = 8000;
/** Names of values as they are typed. */
const TYPED: Readonly<Record<string, string>> = { mcgStatus: 'mcgstatus', mcgCap: 'mcgcap' };
const ARM = ['esr', 'far', 'hpfar', 'flags', 'gpa'] as const;

function mcaWords(record: X86McaRecord, bankKnown: boolean): [string, string][] {
  const words: [string, string][] = [];
  for (const name of MCA_REGISTERS) {
    const value = record[name];
    if (value !== undefined) words.push([TYPED[name] ?? name, hex64(value)]);
  }
  if (bankKnown) words.push(['bank', String(record.bank)]);
  if (record.vendor !== undefined) words.push(['vendor', record.vendor]);
  if (record.cpu !== undefined) words.push(['cpu', String(record.cpu)]);
  return words;
}

function armWords(record: ArmSeaRecord): [string, string][] {
  return ARM.flatMap((name): [string, string][] => {
    const value = record[name];
    return value === undefined ? [] : [[name, hex64(value)]];
  });
}

/** A record as `decode --json` writes it, in what the decoder needs of it to read it again. */
export const jsonOf = (record: DecodedRecord): string =>
  stringify({ schemaVersion: DECODED_SCHEMA_VERSION, kind: record.kind, raw: rawData(record) });

/** The hash for a record; undefined for one that is too long for an address. */
export function hashOfRecord(record: DecodedRecord): string | undefined {
  const { raw } = record;
  const words: [string, string][] =
    raw.kind === 'x86-mca'
      ? mcaWords(raw, record.bank !== undefined)
      : raw.kind === 'arm-sea'
        ? armWords(raw)
        : [['record', jsonOf(record)]];
  const query = new URLSearchParams('');
  for (const [name, value] of words) query.set(name, value);
  const hash = `#decode?${query.toString()}`;
  return hash.length > MOST ? undefined : hash;
}

/** The input that a hash stands for, as the decoder reads it; undefined where it stands for none. */
export function inputOfHash(hash: string): string | undefined {
  const query = /^#decode\?(.+)$/s.exec(hash)?.[1];
  if (query === undefined || query.length > MOST) return undefined;
  const whole = new URLSearchParams(query);
  const given = whole.get('record') ?? whole.get('text');
  if (given !== null) return given;
  const words = query.split('&').flatMap(pair => {
    const name = /^([a-z][a-z0-9]{0,15})=/.exec(pair)?.[1];
    const value = name === undefined ? null : whole.get(name);
    return name !== undefined && value !== null && /^[\w.-]{1,64}$/.test(value) ? [`${name}=${value}`] : [];
  });
  return words.length === 0 ? undefined : words.join(' ');
}

/** @module A record as a hash that a person can read, and that the decoder reads: `#decode?status=0x…&addr=0x…&vendor=amd`. */
import { hex64, stringify } from '@syndrome/decode/common/hex.ts';
import { MCA_REGISTERS, type X86McaRecord } from '@syndrome/decode/mca/record.ts';
import type { ArmSeaRecord } from '@syndrome/decode/arm/record.ts';
import { DECODED_SCHEMA_VERSION, type DecodedRecord, rawData } from '@syndrome/decode/decode/record.ts';

/** More is never put into an address. */
const MOST = 8000;
/** Names of values as they are typed, where these are others than those of the members. */
const TYPED: Readonly<Record<string, string>> = {
  mcgStatus: 'mcgstatus',
  mcgCap: 'mcgcap',
  apicId: 'apicid',
  walkedGpa: 'walkedgpa',
};
const ARM = ['esr', 'far', 'hpfar', 'pfar', 'flags', 'gva', 'gpa', 'walkedGpa', 'elr'] as const;
/** Members that say nothing of the error itself. */
const BESIDES: ReadonlySet<string> = new Set(['kind', 'origin']);

type Words = [member: string, value: string][];

function mcaWords(record: X86McaRecord, bankKnown: boolean): Words {
  const words: Words = [];
  for (const name of [...MCA_REGISTERS, 'time'] as const) {
    const value = record[name];
    if (value !== undefined) words.push([name, hex64(value)]);
  }
  if (bankKnown) words.push(['bank', String(record.bank)]);
  for (const name of ['vendor', 'cpu', 'socket'] as const) {
    const value = record[name];
    if (value !== undefined) words.push([name, String(value)]);
  }
  return words;
}

function armWords(record: ArmSeaRecord): Words {
  return ARM.flatMap((name): Words => {
    const value = record[name];
    return value === undefined ? [] : [[name, hex64(value)]];
  });
}

/** A record as the values that somebody would type; undefined where they do not say all of it. */
function wordsOf({ raw, bank }: DecodedRecord): Words | undefined {
  if (raw.kind !== 'x86-mca' && raw.kind !== 'arm-sea') return undefined;
  // Of a report of the firmware Linux writes -1, which nobody types.
  if (bank !== undefined && bank < 0) return undefined;
  const words = raw.kind === 'x86-mca' ? mcaWords(raw, bank !== undefined) : armWords(raw);
  const said = new Set(['bank', ...BESIDES, ...words.map(([member]) => member)]);
  const isWhole = Object.entries(raw).every(([member, value]) => value === undefined || said.has(member));
  return isWhole ? words : undefined;
}

/** A record as `decode --json` writes it, in what the decoder needs of it to read it again. */
export const jsonOf = (record: DecodedRecord): string =>
  stringify({ schemaVersion: DECODED_SCHEMA_VERSION, kind: record.kind, bank: record.bank, raw: rawData(record) });

/** The hash for a record; undefined for one that is too long for an address. */
export function hashOfRecord(record: DecodedRecord): string | undefined {
  const query = new URLSearchParams('');
  for (const [member, value] of wordsOf(record) ?? [['record', jsonOf(record)]])
    query.set(TYPED[member] ?? member, value);
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

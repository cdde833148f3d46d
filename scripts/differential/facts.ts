/**
 * @module What two decoders can be asked the same of a machine check of Intel: short words of one vocabulary, made of what each of
 * them says. What mcelog prints is a fact of the program (seen of v208); what it means is told by the table of the SDM that is named.
 */
import { decodeMcacod } from '@syndrome/decode/mca/mcacod.ts';
import type { McaVendor } from '@syndrome/decode/mca/record.ts';
import type { DecodedRecord } from '@syndrome/decode/decode/record.ts';
import type { Facts } from './compare.ts';

type Line = readonly [shape: RegExp, facts: (groups: readonly string[]) => Record<string, string>];

export const REQUESTS: Readonly<Record<string, string>> = {
  Generic: 'ERR',
  Read: 'RD',
  Write: 'WR',
  'Data-Read': 'DRD',
  'Data-Write': 'DWR',
  'Instruction-Fetch': 'IRD',
  Prefetch: 'PREFETCH',
  Eviction: 'EVICT',
  Snoop: 'SNOOP',
};
export const PARTS: Readonly<Record<string, string>> = {
  'Local-CPU-originated-request': 'SRC',
  'Responed-to-request': 'RES',
  'Observed-error-as-third-party': 'OBS',
  Generic: 'GEN',
};
export const SPACES: Readonly<Record<string, string>> = {
  'Memory-access': 'M',
  IO: 'IO',
  'Other-transaction': 'OTHER',
};
export const TYPES: Readonly<Record<string, string>> = { Instruction: 'I', Data: 'D', Generic: 'G' };
/** A word of another decoder in the vocabulary. */
export const named = (names: Readonly<Record<string, string>>, word = ''): string => names[word] ?? `unknown ${word}`;
/** `Level-1` as the tables of the SDM call it: the highest stands for any. */
export const level = (word = ''): string =>
  ['L0', 'L1', 'L2', 'LG'][Number(word.replace('Level-', ''))] ?? `unknown ${word}`;

/** Simple codes: SDM vol. 3B, "IA32_MCi_Status [15:0] Simple Error Code Encoding". */
export const SIMPLE: Readonly<Record<string, string>> = {
  'No Error': 'no-error',
  Unclassified: 'unclassified',
  'Microcode ROM parity error': 'microcode-rom-parity',
  'External error': 'external',
  'FRC error': 'frc',
  'Internal parity error': 'internal-parity',
  'SMM Handler Code Access Violation': 'smm-handler-code-access',
  'Internal Timer error': 'internal-timer',
};

const LINES: readonly Line[] = [
  [/^Machine check not valid$/, () => ({ valid: 'no' })],
  [/^Error overflow$/, () => ({ overflow: 'yes' })],
  [/^Uncorrected error$/, () => ({ corrected: 'no' })],
  [/^Corrected error/, () => ({ corrected: 'yes' })],
  [/^Error enabled$/, () => ({ enabled: 'yes' })],
  [/^MCi_MISC register valid$/, () => ({ misc: 'valid' })],
  [/^MCi_ADDR register valid$/, () => ({ addr: 'valid' })],
  [/^Processor context corrupt$/, () => ({ context: 'corrupt' })],
  [/^(UCNA|AR|SRAO|SRAR)$/, ([word = '']) => ({ class: word })],
  [/^Threshold based error status: (\w+)$/, ([word = '']) => ({ threshold: word })],
  [/^MCG status:(.*)$/, ([words = '']) => ({ mcgStatus: words.trim() })],
  [/^(?:MCA: )?corrected filtering /, () => ({ filtered: 'yes' })],
  [
    /^IO MCA reported by root port ([0-9a-f]+):(\S+)$/,
    ([segment = '', rest = '']) => ({ rootPort: `${segment.padStart(4, '0')}:${rest}` }),
  ],
  [
    /^(?:MCA: )?(Level-\d|UNKNOWN) Generic cache hierarchy error$/,
    ([ll]) => ({ code: 'generic-cache-hierarchy', LL: level(ll) }),
  ],
  [/^(?:MCA: )?(\S+) TLB (\S+) Error$/, ([tt, ll]) => ({ code: 'tlb', TT: named(TYPES, tt), LL: level(ll) })],
  [
    /^(?:MCA: )?(\S+) CACHE (\S+) (\S+) Error$/,
    ([tt, ll, rrrr]) => ({ code: 'cache-hierarchy', TT: named(TYPES, tt), LL: level(ll), RRRR: named(REQUESTS, rrrr) }),
  ],
  [
    /^(?:MCA: )?(Memory as cache: )?MEMORY CONTROLLER (\w+?)_CHANNEL(\w+)_ERR$/,
    ([cache, mmm, channel]) => ({
      code: cache === undefined ? 'memory-controller' : 'extended-memory',
      MMM: mmm ?? '',
      CCCC: channel ?? '',
    }),
  ],
  [
    /^(?:MCA: )?BUS error: \S+ \S+ (\S+) (\S+) (\S+) (\S+) (\S+)$/,
    ([ll, pp, rrrr, ii, t]) => ({
      code: 'bus-interconnect',
      LL: level(ll),
      PP: named(PARTS, pp),
      RRRR: named(REQUESTS, rrrr),
      II: named(SPACES, ii),
      T: t === 'Request-timed-out' ? 'TIMEOUT' : 'NOTIMEOUT',
    }),
  ],
  [/^(?:MCA: )?Internal unclassified error: /, () => ({ code: 'internal-unclassified' })],
  [/^(?:MCA: )?Unknown Error /, () => ({ code: 'unknown' })],
  [/^(?:MCA: )?([A-Z][\w ]+)$/, ([words = '']) => (SIMPLE[words] === undefined ? {} : { code: SIMPLE[words] })],
];

/** What mcelog says of one record. */
export interface Said {
  tsc: string;
  status: bigint;
  facts: Facts;
}

/** Reads one record of mcelog's output; undefined for one without its TSC or status. */
export function mcelogSays(text: string): Said | undefined {
  const tsc = /\bTSC ([0-9a-f]+)/.exec(text)?.[1];
  const status = /\bSTATUS ([0-9a-f]+) MCGSTATUS/.exec(text)?.[1];
  if (tsc === undefined || status === undefined) return undefined;
  const facts: Record<string, string> = {};
  for (const line of text.split('\n')) {
    for (const [shape, of] of LINES) {
      const m = shape.exec(line.trimEnd());
      if (m === null) continue;
      Object.assign(facts, of(m.slice(1)));
      break;
    }
  }
  return { tsc, status: BigInt(`0x${status}`), facts };
}

const CLASSES: ReadonlySet<string> = new Set(['UCNA', 'SRAO', 'SRAR']);
const IO_PORT = /root port ([0-9a-f]+:[0-9a-f]{2}:[0-9a-f]{2}\.\d)/;

/** What the flags of a record say. */
export function flagFacts(record: DecodedRecord): Record<string, string> {
  const { flags, threshold, registers } = record;
  const has = (flag: string): boolean => flags.includes(flag);
  const facts: Record<string, string> = {};
  if (!has('VAL')) facts['valid'] = 'no';
  if (has('OVER')) facts['overflow'] = 'yes';
  facts['corrected'] = has('UC') ? 'no' : 'yes';
  if (has('EN')) facts['enabled'] = 'yes';
  if (has('MISCV')) facts['misc'] = 'valid';
  if (has('ADDRV')) facts['addr'] = 'valid';
  if (has('PCC')) facts['context'] = 'corrupt';
  if (CLASSES.has(record.class)) facts['class'] = record.class;
  if (threshold !== undefined) facts['threshold'] = threshold;
  const mcg = Number(registers['mcgStatus'] ?? 0n);
  facts['mcgStatus'] = ['RIPV', 'EIPV', 'MCIP', 'LMCE'].filter((_, bit) => ((mcg >> bit) & 1) === 1).join(' ');
  return facts;
}

/** What its error code says. */
export function codeFacts(record: DecodedRecord, vendor: McaVendor): Record<string, string> {
  const { mcacod } = record;
  const facts: Record<string, string> = {};
  const port = IO_PORT.exec(record.explanation)?.[1];
  if (port !== undefined) facts['rootPort'] = port;
  if (mcacod === undefined) return facts;
  facts['code'] = mcacod.class;
  if (mcacod.filtered === true) facts['filtered'] = 'yes';
  // What the fields of a code are called belongs to the code.
  const { fields } = decodeMcacod(mcacod.value, vendor);
  for (const [name, value] of Object.entries(fields)) {
    facts[name] = name === 'CCCC' && value === 15 ? 'unspecified' : String(value);
  }
  return facts;
}

/** What ours says of a record, in the same words. */
export const ourFacts = (record: DecodedRecord): Facts => ({ ...flagFacts(record), ...codeFacts(record, 'intel') });

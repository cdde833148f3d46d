/**
 * @module What rasdaemon and ours can be asked the same of a machine check, in one vocabulary (that of ../facts.ts). What rasdaemon
 * stores of a record is a fact of the program (seen of 0.8.3); what it means is told by the table of the SDM or PPR that is named.
 */
import { cpuOf } from '@syndrome/decode/mca/cpu.ts';
import { decidingOf } from '@syndrome/decode/mca/deciding.ts';
import { intelModelInfo } from '@syndrome/decode/mca/intel-model.ts';
import type { X86McaRecord } from '@syndrome/decode/mca/record.ts';
import { smcaBank } from '@syndrome/decode/mca/smca-banks.ts';
import type { DecodedRecord } from '@syndrome/decode/decode/record.ts';
import type { Facts } from '../compare.ts';
import { codeFacts, flagFacts, level, named, PARTS, REQUESTS, SIMPLE, SPACES, TYPES } from '../facts.ts';

/** A row of mce_record: columns that hold rasdaemon's own words. */
export interface RasRow {
  bank_name: string;
  error_msg: string;
  mcgstatus_msg: string;
  mcistatus_msg: string;
  mcastatus_msg: string;
  user_action: string;
  mc_location: string;
}

type Line = readonly [shape: RegExp, facts: (groups: readonly string[]) => Record<string, string>];

/** Takes off the front of a text what one of the lines knows, as often as one does. */
function eat(lines: readonly Line[], text: string): { facts: Record<string, string>; rest: string } {
  const facts: Record<string, string> = {};
  let rest = text.trim();
  for (let more = true; more; ) {
    more = false;
    for (const [shape, of] of lines) {
      const m = shape.exec(rest);
      if (m === null) continue;
      Object.assign(facts, of(m.slice(1)));
      rest = rest.slice(m[0].length).trim();
      more = true;
    }
  }
  return { facts, rest };
}

const MCI: readonly Line[] = [
  [/^MCE_INVALID\b/, () => ({ valid: 'no' })],
  [/^Error_overflow\b/, () => ({ overflow: 'yes' })],
  [/^Uncorrected_error\b/, () => ({ corrected: 'no' })],
  [/^Corrected_error\b/, () => ({ corrected: 'yes' })],
  [/^Error_enabled\b/, () => ({ enabled: 'yes' })],
  [/^Processor_context_corrupt\b/, () => ({ context: 'corrupt' })],
  [/^(UCNA|AR|SRAO|SRAR)\b/, ([word = '']) => ({ class: word })],
  [/^Threshold based error status: (\w+)/, ([word = '']) => ({ threshold: word })],
  [/^([CU])ECC\b/, ([word = '']) => ({ ecc: word === 'C' ? 'corrected' : 'uncorrected' })],
  [/^Poison consumed\b/, () => ({ poison: 'yes' })],
  [/^Task_context_corrupt\b/, () => ({ task: 'corrupt' })],
];

const INTEL_CODES: readonly Line[] = [
  [/^corrected filtering \(some unreported errors in same region\)/, () => ({ filtered: 'yes' })],
  [/^(Level-\d) Generic memory hierarchy error/, ([ll]) => ({ code: 'generic-cache-hierarchy', LL: level(ll) })],
  [/^(\w+) TLB (Level-\d) Error/, ([tt, ll]) => ({ code: 'tlb', TT: named(TYPES, tt), LL: level(ll) })],
  [
    /^(\w+) CACHE (Level-\d) ([\w-]+) Error/,
    ([tt, ll, rrrr]) => ({ code: 'cache-hierarchy', TT: named(TYPES, tt), LL: level(ll), RRRR: named(REQUESTS, rrrr) }),
  ],
  [
    /^MEMORY CONTROLLER (\w+?)_CHANNEL(\w+)_ERR Transaction: (?:Generic undefined request|Memory (?:read|write|scrubbing) error|Address\/Command error|Reserved \d)/,
    ([mmm = '', channel = '']) => ({ code: 'memory-controller', MMM: mmm, CCCC: channel }),
  ],
  [
    /^BUS (Level-\d) ([\w-]+) ([\w-]+) ([\w-]+) ([\w-]+) Error/,
    ([ll, pp, rrrr, ii, t]) => ({
      code: 'bus-interconnect',
      LL: level(ll),
      PP: named(PARTS, pp),
      RRRR: named(REQUESTS, rrrr),
      II: named(SPACES, ii),
      T: t === 'Request-timed-out' ? 'TIMEOUT' : 'NOTIMEOUT',
    }),
  ],
  [
    /^IO MCA reported by root port ([0-9a-f]+):(\S+)/,
    ([segment = '', rest = '']) => ({ rootPort: `${segment.padStart(4, '0')}:${rest}` }),
  ],
  [/^Internal unclassified error: [0-9a-f]+/, () => ({ code: 'internal-unclassified' })],
  [/^Unknown Error [0-9a-f]+/, () => ({ code: 'unknown' })],
  // What the bank's own table adds.
  [/^(PCU|UPI|M2M|MemCtrl)\b(?: internal error|:)?/, ([unit = '']) => ({ unit: unit === 'MemCtrl' ? 'IMC' : unit })],
  [/^MscodDDRType=0x\w+ MscodMiscErrs=0x\w+/, () => ({})],
  [
    new RegExp(`^(${Object.keys(SIMPLE).join('|')})(?= |$)`),
    ([words = '']) => ({ code: SIMPLE[words] ?? `unknown ${words}` }),
  ],
];

/** A model-specific code that has words, that is a number, or of which nothing is said. */
const modelWords = (rest: string): string =>
  rest === '' ? '-' : /^(?:<\d+:[0-9a-f]+> ?)+$/.test(rest) ? 'number' : 'words';

function mcgStatus(text: string): string {
  return /^mcgstatus=\d+ ?(.*)$/.exec(text)?.[1]?.trim() ?? '';
}

function place(text: string): Record<string, string> {
  const facts: Record<string, string> = {};
  for (const [name, fact] of [
    ['memory_channel', 'channel'],
    ['csrow', 'chipSelect'],
    ['n_errors', 'count'],
  ] as const) {
    const value = new RegExp(`\\b${name}=(\\d+)`).exec(text)?.[1];
    if (value !== undefined) facts[fact] = value;
  }
  return facts;
}

/** What rasdaemon says of a record of Intel. */
export function intelSays(row: RasRow): Facts {
  const mca = eat(INTEL_CODES, row.mcastatus_msg);
  // Where it has nothing else to say, it says the same again.
  const message = eat(INTEL_CODES, row.error_msg === row.mcastatus_msg ? '' : row.error_msg);
  const facts: Record<string, string> = { ...eat(MCI, row.mcistatus_msg).facts, ...message.facts, ...mca.facts };
  const model = modelWords(`${mca.rest} ${message.rest}`.trim());
  if (model !== '-') facts['model'] = model;
  if (row.user_action !== '') facts['action'] = 'watch';
  return { ...facts, mcgStatus: mcgStatus(row.mcgstatus_msg), ...place(row.mc_location) };
}

/** What ours says of it, in the same words. */
export function ourIntelFacts(record: DecodedRecord): Facts {
  const raw = record.raw as X86McaRecord;
  const { misc: _, addr: __, ...facts } = { ...flagFacts(record), ...codeFacts(record, 'intel') };
  const cpu = cpuOf(raw);
  const info = cpu === undefined ? undefined : intelModelInfo(decidingOf(raw), cpu);
  if (info !== undefined) {
    facts['unit'] = info.unit.id;
    const model = info.mscod.some(row => row.text !== undefined) ? 'words' : info.mscod.length > 0 ? 'number' : '-';
    if (model !== '-') facts['model'] = model;
  }
  if (record.count !== undefined) facts['count'] = `${record.count}`;
  if (record.threshold === 'yellow') facts['action'] = 'watch';
  return facts;
}

/** rasdaemon's names of bank types, each with the types of the PPR that it stands for ("MCA_IPID[HwId] and [McaType]"). */
const BANK_TYPES: Readonly<Record<string, readonly string[]>> = {
  'Load Store Unit': ['LS', 'LS_V2'],
  'Instruction Fetch Unit': ['IF'],
  'L2 Cache': ['L2_CACHE'],
  'Decode Unit': ['DE'],
  'Execution Unit': ['EX'],
  'Floating Point Unit': ['FP'],
  'L3 Cache': ['L3_CACHE'],
  'Coherent Slave': ['CS', 'CS_V2'],
  'Power, Interrupts, etc.': ['PIE'],
  'Unified Memory Controller': ['UMC'],
  'Unified Memory Controller V2': ['UMC_V2'],
  'Memory Attached Last Level Cache': ['MA_LLC'],
  'Parameter Block': ['PB'],
  'Platform Security Processor': ['PSP', 'PSP_V2'],
  'System Management Unit': ['SMU', 'SMU_V2'],
  'Microprocessor 5 Unit': ['MP5'],
  'MPDMA Unit': ['MPDMA'],
  'Northbridge IO Unit': ['NBIO'],
  'PCI Express Unit': ['PCIE', 'PCIE_V2'],
  'Ext Global Memory Interconnect PCS Unit': ['XGMI_PCS'],
  'NBIF Unit': ['NBIF'],
  'System Hub Unit': ['SHUB'],
  'SATA Unit': ['SATA'],
  'USB Unit': ['USB'],
  'Ultra Short Reach Data Plane Controller': ['USR_DP'],
  'Ultra Short Reach Control Plane Controller': ['USR_CP'],
  'Global Memory Interconnect PCS Unit': ['GMI_PCS'],
  'Ext Global Memory Interconnect PHY Unit': ['XGMI_PHY'],
  'WAFL PHY Unit': ['WAFL_PHY'],
  'Global Memory Interconnect PHY Unit': ['GMI_PHY'],
};

/** Words that two descriptions of one error share, however they put it. */
const KINDS: readonly (readonly [name: string, words: RegExp])[] = [
  ['parity', /parity/i],
  ['ECC', /\b[CU]?ECC\b/i],
  ['poison', /poison/i],
  ['CRC', /\bCRC\b/],
  ['assertion', /assert/i],
  ['overflow', /overflow/i],
  ['underflow', /underflow/i],
  ['security', /security violation/i],
  ['TLB', /\bTLB\b|DTLB|ITLB/i],
  ['several hits', /multi(?:ple)?-|hit at once/i],
  ['replay', /replay/i],
];
/** `parity tag`: what a description speaks of. */
const kindsIn = (text: string): string =>
  KINDS.filter(([, words]) => words.test(text))
    .map(([name]) => name)
    .join(' ') || 'other';

const AMD_TYPES: Readonly<Record<string, string>> = { instruction: 'I', data: 'D', generic: 'G' };
const AMD_LEVELS: Readonly<Record<string, string>> = { reserved: 'L0', L1: 'L1', L2: 'L2', 'L3/generic': 'LG' };
const AMD_REQUESTS: Readonly<Record<string, string>> = {
  generic: 'ERR',
  'generic read': 'RD',
  'generic write': 'WR',
  'data read': 'DRD',
  'data write': 'DWR',
  'instruction fetch': 'IRD',
  prefetch: 'PREFETCH',
  evict: 'EVICT',
  snoop: 'SNOOP',
};
const AMD_PARTS: Readonly<Record<string, string>> = {
  'local node origin': 'SRC',
  'local node response': 'RES',
  'local node observed': 'OBS',
  'generic participation': 'GEN',
};
const AMD_CODES: readonly Line[] = [
  [/^(.{3,160}?)\. Ext Err Code: (\d+)/, ([words = '']) => ({ extended: words === 'Reserved' ? '-' : kindsIn(words) })],
  [/^Internal '([\w ]+)'/, () => ({ code: 'internal-unclassified' })],
  [
    /^TLB Error 'tx: (\w+), level: ([\w/]+)'/,
    ([tt, ll]) => ({ code: 'tlb', TT: named(AMD_TYPES, tt), LL: named(AMD_LEVELS, ll) }),
  ],
  [
    /^Memory Error 'mem-tx: ([^,]+), tx: (\w+), level: ([\w/]+)'/,
    ([rrrr, tt, ll]) => ({
      code: 'cache-hierarchy',
      RRRR: named(AMD_REQUESTS, rrrr),
      TT: named(AMD_TYPES, tt),
      LL: named(AMD_LEVELS, ll),
    }),
  ],
  [
    /^Bus Error '([^,]+), ([^,]+), mem-tx: ([^,]+), level: ([\w/]+)'/,
    ([pp, t, rrrr, ll]) => ({
      code: 'bus-interconnect',
      PP: named(AMD_PARTS, pp),
      T: t === 'request timed out' ? 'TIMEOUT' : 'NOTIMEOUT',
      RRRR: named(AMD_REQUESTS, rrrr),
      LL: named(AMD_LEVELS, ll),
    }),
  ],
];
/** Its sentence of a record. APM vol. 2, "Machine-Check Error Severity", for what each means. */
const AMD_CLASSES: Readonly<Record<string, string>> = {
  'System Fatal error.': 'PCC',
  'Uncorrected, software restartable error.': 'UC',
  'Uncorrected, software containable error.': 'UC',
  'Deferred error, no action required.': 'Deferred',
  'Corrected error, no action required.': 'CE',
};

/** What rasdaemon says of a record of a scalable bank of AMD. @param type of the bank by our table, which several of its names share */
export function amdSays(row: RasRow, type: string | undefined): Facts {
  const name = /^(.*) \(bank=\d+\)$/.exec(row.bank_name)?.[1] ?? '';
  const types = BANK_TYPES[name] ?? [];
  const facts: Record<string, string> = {
    ...eat(MCI, row.mcistatus_msg).facts,
    ...eat(AMD_CODES, row.mcastatus_msg).facts,
  };
  if (facts['extended'] === '-') delete facts['extended'];
  const known = type !== undefined && types.includes(type) ? type : types[0];
  if (name !== '') facts['unit'] = known ?? name;
  facts['class'] = named(AMD_CLASSES, row.error_msg);
  return { ...facts, mcgStatus: mcgStatus(row.mcgstatus_msg), ...place(row.mc_location) };
}

/** The type of bank by our table. */
export const typeOf = (record: DecodedRecord): string | undefined => {
  const raw = record.raw as X86McaRecord;
  return raw.ipid === undefined ? undefined : smcaBank(raw.ipid, cpuOf(raw))?.id;
};

/** What ours says of it, in the same words. */
export function ourAmdFacts(record: DecodedRecord): Facts {
  const raw = record.raw as X86McaRecord;
  const has = (flag: string): boolean => record.flags.includes(flag);
  // It does not speak of these.
  const {
    corrected: _,
    enabled: __,
    misc: ___,
    addr: ____,
    UU: _____,
    ...facts
  } = {
    ...flagFacts(record),
    ...codeFacts(record, 'amd'),
  };
  facts['class'] = record.class;
  if (has('CECC') || has('UECC')) facts['ecc'] = has('UECC') ? 'uncorrected' : 'corrected';
  if (has('POISON')) facts['poison'] = 'yes';
  if (has('TCC')) facts['task'] = 'corrupt';
  const type = typeOf(record);
  if (type !== undefined) facts['unit'] = type;
  const { extended } = record.mcacod ?? {};
  const words = raw.ipid === undefined ? undefined : smcaBank(raw.ipid, cpuOf(raw))?.codes[extended?.value ?? 0];
  if (words !== undefined) facts['extended'] = kindsIn(words);
  const { channel, chipSelect } = record.place ?? {};
  if (channel !== undefined) facts['channel'] = `${channel}`;
  if (chipSelect !== undefined) facts['chipSelect'] = `${chipSelect}`;
  return facts;
}

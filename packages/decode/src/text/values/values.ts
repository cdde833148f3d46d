/** @module Values typed by hand: `0xbd80000000000134`, `status=… addr=…`, and QEMU's monitor command `mce`. */
import { fits } from '../../registers/address.ts';
import type { ArmSeaRecord } from '../../arm/record.ts';
import type { McaVendor, X86McaRecord } from '../../mca/record.ts';
import { holdsError } from '../../mca/registers.ts';
import { hexU64 } from '../transport/line.ts';
import type { TextNote } from '../item.ts';
import { oldBankLine } from '../linux/old-mce-lines.ts';

/** What the values are, and what could not be read of them. */
interface Values {
  record: X86McaRecord | ArmSeaRecord;
  notes: TextNote[];
  /** No bank was given; the record's `bank` is 0 only because it needs one. */
  bankUnknown?: true;
  /** The monitor's `-b`: all CPUs get it. */
  broadcast?: true;
}

export interface ValueOptions {
  /** A lone value is an ESR, not MCi_STATUS. */
  esr?: boolean;
}

/** QEMU's command among the lines of a log. */
export const VALUES_NEEDLES: readonly string[] = ['mce -b ', '(qemu) mce'];

/** Longer lines are not values. */
export const MAX_VALUES = 2048;

/** Names people and programs write, without `_`, lower case → record member. */
const NAMES: Readonly<Record<string, keyof X86McaRecord>> = {
  status: 'status',
  mcistatus: 'status',
  mcastatus: 'status',
  mcgstatus: 'mcgStatus',
  mcg: 'mcgStatus',
  mcgcap: 'mcgCap',
  addr: 'addr',
  address: 'addr',
  mciaddr: 'addr',
  mcaaddr: 'addr',
  misc: 'misc',
  misc0: 'misc',
  mcimisc: 'misc',
  mcamisc: 'misc',
  mcamisc0: 'misc',
  synd: 'synd',
  syndrome: 'synd',
  mcasynd: 'synd',
  synd1: 'synd1',
  synd2: 'synd2',
  mcasynd1: 'synd1',
  mcasynd2: 'synd2',
  ipid: 'ipid',
  mcaipid: 'ipid',
  config: 'config',
  mcaconfig: 'config',
  destat: 'destat',
  mcadestat: 'destat',
  deaddr: 'deaddr',
  mcadeaddr: 'deaddr',
  ppin: 'ppin',
  tsc: 'tsc',
  cpuid: 'cpuid',
  time: 'time',
  apicid: 'apicId',
  apic: 'apicId',
  microcode: 'microcode',
  rip: 'rip',
  cs: 'cs',
  cpu: 'cpu',
  bank: 'bank',
  socket: 'socket',
  socketid: 'socket',
};
/** The members that are counts and not registers. */
const SMALL: ReadonlySet<string> = new Set(['cpu', 'bank', 'socket']);
const ARM_NAMES: Readonly<
  Record<string, 'esr' | 'far' | 'hpfar' | 'pfar' | 'gva' | 'gpa' | 'walkedGpa' | 'elr' | 'flags'>
> = {
  esr: 'esr',
  esrel1: 'esr',
  esrel2: 'esr',
  far: 'far',
  farel1: 'far',
  farel2: 'far',
  hpfar: 'hpfar',
  hpfarel2: 'hpfar',
  pfar: 'pfar',
  gva: 'gva',
  gpa: 'gpa',
  walkedgpa: 'walkedGpa',
  elr: 'elr',
  elrel1: 'elr',
  flags: 'flags',
};

const PAIR = /^([A-Za-z][A-Za-z0-9_]{0,31})[=:](0[xX][0-9a-fA-F]{1,16}|[0-9a-fA-F]{1,16}|\d{17,20}|intel|amd|hygon)$/;
/** `MC9_STATUS`, `IA32_MC9_ADDR`: the bank in the name. */
const BANK_NAME = /^(?:ia32)?mc(\d{1,2})(status|addr|misc)$/;
/** `MCA_STATUS_LS`, `MCA_IPID_UMC`: AMD's PPRs put the unit behind the register. */
const UNIT_NAME = /^(mca_(?:status|addr|misc0?|synd[12]?|ipid|config|destat|deaddr))_[a-z0-9]{2,6}$/;
/** mcelog's words without the first lines of its record: `STATUS bd80000000000134 MCGSTATUS 7`. */
const MCELOG_WORDS =
  /^(?:CPU[ =]\d{1,5} )?(?:BANK[ =]\d{1,3} )?STATUS [0-9a-fA-F]{16}(?: [A-Z]{3,9} [0-9a-fA-F]{1,16})*$/;
/** Registers in the order of QEMU's command, its CPU and bank left out. */
const IN_ORDER = ['status', 'mcgStatus', 'addr', 'misc'] as const;
const HMP = /^(?:\(qemu\) {0,4})?mce((?: {1,8}-b)?)((?: {1,8}(?:0[xX][0-9a-fA-F]{1,16}|\d{1,20})){6})$/;

/** A number as written: `0x…` is hex; bare digits are decimal for counts and hex for registers, as logs print them. */
function number(text: string, small: boolean): bigint | undefined {
  // Too long for hex digits: decimal, as databases give 64-bit values.
  if (/^\d{17,20}$/.test(text)) return fits(BigInt(text), 64) ? BigInt(text) : undefined;
  if (small && /^\d{1,9}$/.test(text)) return BigInt(text);
  return hexU64(text);
}

/** QEMU's `mce [-b] CPU BANK STATUS MCGSTATUS ADDR MISC`; undefined for other text. */
export function mceCommand(text: string): Values | undefined {
  if (text.length > MAX_VALUES) return undefined;
  const m = HMP.exec(text.trim());
  if (m === null) return undefined;
  // The monitor's own reading: a number without 0x is decimal.
  const [cpu, bank, status, mcgStatus, addr, misc] = (m[2] ?? '')
    .trim()
    .split(/ +/)
    .map(w => BigInt(w));
  if (cpu === undefined || bank === undefined || status === undefined) return undefined;
  if ([status, mcgStatus, addr, misc].some(v => v !== undefined && !fits(v, 64))) return undefined;
  if (cpu > 0xffffn || bank > 0xffffn) return undefined;
  const record: X86McaRecord = { kind: 'x86-mca', cpu: Number(cpu), bank: Number(bank), status };
  record.mcgStatus = mcgStatus ?? 0n;
  record.addr = addr ?? 0n;
  record.misc = misc ?? 0n;
  return { record, notes: [], ...(m[1] === '' ? {} : { broadcast: true }) };
}

/** A register in groups: WinDbg's mark in its middle (``be000000`00800400``), `_` and `'` of listings, blanks. */
const GROUPS: readonly (readonly [groups: RegExp, joined: string])[] = [
  [/\b((?:0[xX])?[0-9a-fA-F]{4})_([0-9a-fA-F]{4})_([0-9a-fA-F]{4})_([0-9a-fA-F]{4})\b/g, '$1$2$3$4'],
  [/\b((?:0[xX])?[0-9a-fA-F]{8})[`_']([0-9a-fA-F]{8})\b/g, '$1$2'],
  [/\b(0[xX][0-9a-fA-F]{8}) ([0-9a-fA-F]{8})\b/g, '$1$2'],
  [/\b(status[:= ]{1,3}[0-9a-f]{8}) ([0-9a-f]{8})\b/gi, '$1$2'],
  [
    /(?<![0-9a-fA-F] ?)\b([0-9a-fA-F]{4}) ([0-9a-fA-F]{4}) ([0-9a-fA-F]{4}) ([0-9a-fA-F]{4})\b(?! [0-9a-fA-F]{4}\b)/g,
    '$1$2$3$4',
  ],
];

/** A line with its registers in one piece, and without what says nothing: the flags behind a name, `h` and a comma at the end. */
export function plainValues(text: string): string {
  let line = text
    .trim()
    .replace(/^(?:MCA|machine check:) (?=(?:bank|status) )/i, '')
    .replace(/^Bank(\d{1,2}): (?=[0-9a-f]{16}\b)/i, 'Bank $1: ')
    .replace(/\((bank|cpu) (\d{1,4})\)/gi, '$1=$2');
  for (const [groups, joined] of GROUPS) line = line.replace(groups, joined);
  return line
    .replace(/(_STATUS)\[[^\]]{1,96}\](?=[:=])/, '$1')
    .replace(/\b(?:0[xX])?([0-9a-fA-F]{16})h\b/g, '0x$1')
    .replace(/[,;]{1,4}$/, '')
    .trimEnd();
}

/**
 * Reads one line of values: a lone number, or `name=value` words (`name: value` and `NAME value` too), of which the
 * first may be the status (the ESR, beside names of its registers or where one is expected) alone. Undefined when
 * it is anything else, or names neither a status nor an ESR.
 */
export function values(text: string, options: ValueOptions = {}): Values | undefined {
  if (text.length > MAX_VALUES) return undefined;
  const line = plainValues(text);
  if (line === '') return undefined;
  const command = mceCommand(line);
  if (command !== undefined) return command;
  const bank = oldBankLine(line);
  if (bank !== undefined) return { record: bank, notes: [] };
  if (/^(?:0[xX])?[0-9a-fA-F]{1,16}$/.test(line)) {
    // Without 0x only something as long as a register is taken for one.
    if (!/^0[xX]/.test(line) && line.length < 8) return undefined;
    const value = hexU64(line) ?? 0n;
    return {
      record: options.esr ? { kind: 'arm-sea', esr: value } : { kind: 'x86-mca', bank: 0, status: value },
      notes: [],
      bankUnknown: true,
    };
  }
  if (/^\d{17,20}$/.test(line)) {
    const value = number(line, false);
    if (value === undefined) return undefined;
    return { record: { kind: 'x86-mca', bank: 0, status: value }, notes: [], bankUnknown: true };
  }
  const list = inOrder(line);
  if (list !== undefined) return list;
  const counted = line.replace(/\b(bank|cpu|socket) {0,2}#?(\d{1,4})\b/gi, '$1=$2');
  const words = (MCELOG_WORDS.test(counted) ? counted.replace(/ ([0-9a-fA-F]{1,16})(?= |$)/g, '=0x$1') : counted)
    .replace(/([A-Za-z0-9_]) {0,4}([=:]) {0,4}(?=[0-9A-Za-z])/g, '$1$2')
    .replace(/\b([A-Za-z][A-Za-z0-9_]{1,15}) {1,4}(?=0[xX][0-9a-fA-F]|[0-9a-fA-F]{16}\b)/g, '$1=')
    .split(/[\s,;]+/)
    .filter(w => w !== '');
  const lone = /^(?:0[xX][0-9a-fA-F]{1,16}|[0-9a-fA-F]{16})$/.test(words[0] ?? '') ? hexU64(words.shift()) : undefined;
  const x86 = new Map<keyof X86McaRecord, bigint>();
  const arm = new Map<string, bigint>();
  const notes: TextNote[] = [];
  let vendor: McaVendor | undefined;
  let el: 1 | 2 | undefined;
  for (const word of words) {
    const m = PAIR.exec(word);
    if (m === null) return undefined;
    let name = (m[1] ?? '')
      .toLowerCase()
      .replace(UNIT_NAME, '$1')
      .replaceAll('_', '')
      .replace(/^ia32(?=mcg|mci)/, '');
    const value = m[2] ?? '';
    if (value === 'intel' || value === 'amd' || value === 'hygon') {
      if (name !== 'vendor') return undefined;
      vendor = value === 'intel' ? 'intel' : 'amd';
      continue;
    }
    const ofBank = BANK_NAME.exec(name);
    if (ofBank !== null) {
      const bank = BigInt(ofBank[1] ?? '0');
      if ((x86.get('bank') ?? bank) !== bank) return undefined;
      x86.set('bank', bank);
      name = ofBank[2] ?? '';
    }
    const member = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
    const armMember = Object.hasOwn(ARM_NAMES, name) ? ARM_NAMES[name] : undefined;
    if (name.endsWith('el1')) el = 1;
    if (name.endsWith('el2')) el = 2;
    const small = member !== undefined && SMALL.has(member);
    const n = number(value, small || member === 'time');
    if (n === undefined) return undefined;
    if (member !== undefined) {
      // Twice the same register with two values is two records, or a mistake: never one of the two.
      if ((x86.get(member) ?? n) !== n) return undefined;
      x86.set(member, n);
    } else if (armMember !== undefined) arm.set(armMember, n);
    else notes.push({ code: 'W_TEXT_VALUE', message: `the name ${name} is not known; its value was left out` });
  }
  if (lone !== undefined) {
    if (x86.has('status') || arm.has('esr')) return undefined;
    const ofArm = options.esr === true || (arm.size > 0 && [...x86.keys()].every(name => name === 'cpu'));
    // A number that is no valid status is not guessed to be one.
    if (!ofArm && !holdsError(lone)) return undefined;
    if (ofArm) arm.set('esr', lone);
    else x86.set('status', lone);
  }
  const esr = arm.get('esr');
  if (esr !== undefined && !x86.has('status')) {
    const record: ArmSeaRecord = { kind: 'arm-sea', esr };
    for (const [name, value] of arm) if (name !== 'esr') Object.assign(record, { [name]: value });
    if (el !== undefined) record.el = el;
    const cpu = x86.get('cpu');
    if (cpu !== undefined) record.cpu = Number(cpu);
    return { record, notes };
  }
  // A deferred error stands in MCA_DESTAT also when MCA_STATUS holds none.
  const status = x86.get('status') ?? (x86.has('destat') ? 0n : undefined);
  if (status === undefined) return undefined;
  const record: X86McaRecord = { kind: 'x86-mca', bank: Number(x86.get('bank') ?? 0n), status };
  // Only AMD's processors, and Hygon's after them, have scalable MCA.
  if (vendor === undefined && (x86.get('ipid') ?? 0n) !== 0n) vendor = 'amd';
  if (vendor !== undefined) record.vendor = vendor;
  for (const [name, value] of x86) {
    if (name === 'status' || name === 'bank') continue;
    Object.assign(record, { [name]: SMALL.has(name) ? Number(value) : value });
  }
  return x86.has('bank') ? { record, notes } : { record, notes, bankUnknown: true };
}

/** `STATUS MCGSTATUS ADDR MISC` as bare numbers, with CPU and bank before them or without; the status says what it is. */
function inOrder(line: string): Values | undefined {
  const words = line.split(/[\s,]+/);
  if (
    words.length < 2 ||
    words.length > 6 ||
    !words.every(w => /^(?:0[xX][0-9a-fA-F]{1,16}|\d{1,20}|[0-9a-fA-F]{16})$/.test(w))
  ) {
    return undefined;
  }
  const numbers = words.map(w => (/^\d{1,15}$/.test(w) ? BigInt(w) : number(w, false)));
  const [cpu, bank] = numbers;
  const named = words.length === 6;
  const rest = named ? numbers.slice(2) : numbers;
  const status = rest[0];
  if (status === undefined || !holdsError(status) || rest.includes(undefined)) return undefined;
  if (words.length === 5 || (named && ((cpu ?? 0n) > 0xffffn || (bank ?? 0n) > 0xffn))) return undefined;
  const record: X86McaRecord = { kind: 'x86-mca', bank: named ? Number(bank) : 0, status };
  if (named) record.cpu = Number(cpu);
  IN_ORDER.forEach((name, i) => {
    const value = rest[i];
    if (value !== undefined) Object.assign(record, { [name]: value });
  });
  return named ? { record, notes: [] } : { record, notes: [], bankUnknown: true };
}

/** Whether a line says nothing: it is empty, or a comment. */
export const isNoStatement = (text: string): boolean => /^\s*(?:#|$)/.test(text);

/** Whether a line is surely one of values: it gives an error that is valid, and is not of a form that logs have too. */
export function clearValues(text: string, options: ValueOptions = {}): boolean {
  const line = plainValues(text);
  const found = values(line, options)?.record;
  if (found === undefined || oldBankLine(line) !== undefined) return false;
  if (MCELOG_WORDS.test(line) || mceCommand(line) !== undefined) return false;
  return found.kind === 'arm-sea' || holdsError(found.status | (found.destat ?? 0n));
}

/** Whether a line of values begins here that is longer than is read of one. */
export function tooManyValues(text: string, options: ValueOptions = {}): boolean {
  if (text.length <= MAX_VALUES) return false;
  // The last word may go on behind the bound.
  const words = text
    .slice(0, MAX_VALUES)
    .trimStart()
    .split(/[\s,;]+/)
    .slice(0, -1);
  return (
    clearValues(words[0] ?? '', options) &&
    words.every(w => /^(?:[A-Za-z]\w{0,31}[=:])?0[xX][0-9a-fA-F]{1,16}$/.test(w))
  );
}

/** The forms that values may have, for a message where none was recognised. */
export const VALUE_FORMS =
  'values are a lone 0x… (names may follow it), `status=… mcgstatus=… addr=… misc=… bank=… vendor=intel|amd`, the same registers as numbers in this order, QEMU’s `mce CPU BANK STATUS MCGSTATUS ADDR MISC`, or `esr=… far=…` (a lone ESR needs --esr)';

/** Why a short line that looks like values is none; undefined when it looks like other text. */
export function whyNoValues(text: string): string | undefined {
  const line = text.trim();
  const names = [...line.matchAll(/([A-Za-z][A-Za-z0-9_]{0,31}) {0,4}[=:] {0,4}(\S{1,64})/g)].map(m => ({
    name: (m[1] ?? '').toLowerCase().replaceAll('_', '').replace(/^ia32/, ''),
    value: m[2] ?? '',
  }));
  const numeric = /^[\s\dxXa-fA-F,;]{1,200}$/.test(line) && /\d/.test(line);
  if (names.length === 0) return numeric ? 'not understood as values' : undefined;
  const seen = new Set<string>();
  const twice = names.find(({ name }) => seen.size === seen.add(name).size)?.name;
  if (twice !== undefined && (Object.hasOwn(NAMES, twice) || Object.hasOwn(ARM_NAMES, twice))) {
    return `${twice} is given twice with different values: give each record a line of its own`;
  }
  const known = names.filter(
    ({ name }) => Object.hasOwn(NAMES, name) || Object.hasOwn(ARM_NAMES, name) || name === 'vendor',
  );
  // A sentence with a word and a colon in it is a log.
  const rest = line.replace(/[A-Za-z][A-Za-z0-9_]{0,31} {0,4}[=:] {0,4}\S{1,64}/g, '').trim();
  if (known.length === 0 || rest !== '') return undefined;
  const wrong = known.find(({ name, value }) => !PAIR.test(`${name}=${value}`) || number(value, false) === undefined);
  if (wrong !== undefined && wrong.name !== 'vendor') return `${wrong.name}=${wrong.value} is no 64-bit value`;
  if (wrong !== undefined && !/^(?:intel|amd|hygon)$/.test(wrong.value))
    return `the vendor ${wrong.value} is not known`;
  if (
    !names.some(({ name }) => /^(?:(?:mci|mca|mc\d{1,2})?status|(?:mca)?destat)$/.test(name) || name.startsWith('esr'))
  ) {
    return `${known.map(k => k.name).join(', ')} without a status= or an esr= is no error record`;
  }
  return 'not understood as values';
}

/**
 * @module Checks a record against the architecture: what is reserved, what contradicts itself, what the CPU cannot do,
 * and what only software makes. Rules are data: each yields the code of lint-codes.ts when its condition holds.
 */
import { codeForm } from '../registers/code-form.ts';
import { hex64 } from '../common/hex.ts';
import { bySeverity, findingAt, runsOf } from '../registers/finding.ts';
import type { FindingPlace } from '../registers/finding.ts';
import type { Register } from '../registers/register.ts';
import { isLegacyAmd, legacyBank, legacyText } from './amd-legacy.ts';
import { MCA_CONFIG, MCA_IPID, MCA_MISC0, MCI_STATUS_AMD_LEGACY } from './amd-registers.ts';
import { classify } from './classify.ts';
import type { McaClass } from './classify.ts';
import { codeVendorOf, isFirmwareBank } from './component.ts';
import { cpuOf, vendorOfCpu } from './cpu.ts';
import type { McaDeciding, MiscShape } from './deciding.ts';
import { statusRegister } from './describe.ts';
import { intelUnit, mscodRows } from './intel-model.ts';
import { LINT_CODES } from './lint-codes.ts';
import type { Finding, LintCodeId } from './lint-codes.ts';
import { softwareShapes } from './lint-shapes.ts';
import { bogusNote, virtualCpu } from './not-hardware.ts';
import { isBroadcastFiller } from './vmm-made.ts';
import { L3_WRITEBACK, decodeMcacod, errorCodeOf, unfiltered } from './mcacod.ts';
import type { Mcacod } from './mcacod.ts';
import { amdAddressLsb, isTooWide } from './page.ts';
import type { McaVendor, X86McaRecord } from './record.ts';
import {
  ADDRESS_MODE_PHYSICAL,
  MAX_PHYSICAL_BITS,
  MCG_CAP,
  MCG_STATUS,
  MCI_STATUS_AMD,
  MCI_STATUS_INTEL,
} from './registers.ts';
import { smcaBank } from './smca-banks.ts';

type Intel = ReturnType<typeof MCI_STATUS_INTEL.decode>;
type Amd = ReturnType<typeof MCI_STATUS_AMD.decode>;

/** Everything the rules look at, decoded once. */
interface Facts {
  record: McaDeciding;
  cls: McaClass;
  code: Mcacod;
  s: Intel;
  a: Amd;
  cap: ReturnType<typeof MCG_CAP.decode> | undefined;
  mcg: ReturnType<typeof MCG_STATUS.decode> | undefined;
  misc: MiscShape | undefined;
  intel: boolean;
  amd: boolean;
}

interface Rule {
  code: LintCodeId;
  when: (f: Facts) => boolean;
  /** Values of the record that the message should name. */
  what?: (f: Facts) => string;
  /** Bits of one register, the status unless `register` names another. */
  bits?: readonly (readonly [hi: number, lo?: number])[];
  register?: RegisterMember;
  /** Other members that it speaks of. */
  members?: readonly Member[] | ((f: Facts) => readonly Member[]);
}

type Member = keyof X86McaRecord;

/** The registers whose bits are named, as the manuals call them. */
const REGISTER_NAMES = {
  status: 'MCi_STATUS',
  mcgStatus: 'MCG_STATUS',
  mcgCap: 'MCG_CAP',
  addr: 'MCi_ADDR',
  misc: 'MCi_MISC',
  synd: 'MCA_SYND',
  ipid: 'MCA_IPID',
  config: 'MCA_CONFIG',
} as const satisfies Partial<Record<Member, string>>;
type RegisterMember = keyof typeof REGISTER_NAMES;

const bitsOf = (member: RegisterMember, hi: number, lo: number): FindingPlace => ({
  member,
  register: REGISTER_NAMES[member],
  hi,
  lo,
});
const hex = (n: number | bigint): string => `0x${n.toString(16)}`;
const signalled = (f: Facts): boolean => f.intel && (f.cls === 'SRAO' || f.cls === 'SRAR');

const SRAR_CODES = new Set([0x134, 0x150]);
const SCRUB = codeForm('0000 0000 1100 CCCC');
/** The highest bit of the count, which stays set once it is (SDM vol. 3B, Corrected Error Count). */
const COUNT_OVERFLOW = 0x4000n;

/** Registers that the status calls valid and the record does not have. AMD's MCi_MISC is a counter, no part of the error. */
function missing(f: Facts): RegisterMember[] {
  const { addr, misc, synd } = f.record;
  const found: RegisterMember[] = [];
  if (f.s.ADDRV && addr === undefined) found.push('addr');
  if (!f.amd && f.s.MISCV && misc === undefined) found.push('misc');
  if (f.amd && !legacy(f) && f.a.SYNDV && synd === undefined) found.push('synd');
  return found;
}

/** Registers that only AMD has, as far as there is anything in them. */
function foreign({ record: { ipid, config, synd } }: Facts): RegisterMember[] {
  const found: RegisterMember[] = [];
  if ((ipid ?? 0n) !== 0n) found.push('ipid');
  if (synd?.some === true) found.push('synd');
  if ((config ?? 0n) !== 0n) found.push('config');
  return found;
}

const BOTH: readonly Rule[] = [
  { code: 'L_MCA_VENDOR_UNKNOWN', members: ['vendor'], when: f => !f.intel && !f.amd },
  { code: 'L_MCA_PCC_WITHOUT_UC', when: f => f.s.PCC && !f.s.UC, bits: [[61], [57]] },
  {
    code: 'L_MCA_REGISTER_MISSING',
    members: missing,
    when: f => missing(f).length > 0,
    what: f =>
      missing(f)
        .map(m => REGISTER_NAMES[m])
        .join(', '),
  },
  {
    code: 'L_MCA_VENDOR_CPUID',
    members: ['vendor', 'cpuid'],
    when: f => {
      const cpu = cpuOf(f.record) === undefined ? undefined : vendorOfCpu(f.record.cpuid ?? 0n);
      return cpu !== undefined && f.record.vendor !== undefined && cpu !== f.record.vendor;
    },
    what: f => hex(f.record.cpuid ?? 0n),
  },
  { code: 'L_MCA_ADDR_WIDTH', when: f => isTooWide(f.record), bits: [[63, MAX_PHYSICAL_BITS]], register: 'addr' },
  {
    code: 'L_MCA_ADDR_NOT_VALID',
    members: ['addr'],
    when: f => (f.record.addr?.stray ?? 0n) !== 0n,
    what: f => hex64(f.record.addr?.stray ?? 0n),
    bits: [[58]],
  },
  {
    code: 'L_MCA_MISC_NOT_VALID',
    members: ['misc'],
    when: f => (f.misc?.stray ?? 0n) !== 0n,
    what: f => hex64(f.misc?.stray ?? 0n),
    bits: [[59]],
  },
  { code: 'L_MCA_OVER', when: f => f.s.OVER, bits: [[62]] },
  // Of QEMU's filler that is the sense.
  { code: 'L_MCA_UC_WITHOUT_EN', when: f => f.s.UC && !f.s.EN && !isBroadcastFiller(f.record), bits: [[61], [60]] },
  {
    code: 'L_MCA_BANK_OUT_OF_RANGE',
    members: ['bank'],
    when: f => f.cap !== undefined && !isFirmwareBank(f.record.bank) && BigInt(f.record.bank) >= f.cap.COUNT,
    what: f => `bank ${f.record.bank}, MCG_CAP has ${f.cap?.COUNT}`,
    bits: [[7, 0]],
    register: 'mcgCap',
  },
  {
    code: 'L_MCA_CODE_RESERVED',
    when: f => (f.intel || f.amd) && f.code.class === 'unknown',
    what: f => hex(f.s.MCACOD),
    bits: [[15, 0]],
  },
  {
    code: 'L_MCA_NO_IP',
    when: f => f.mcg !== undefined && f.mcg.MCIP && !f.mcg.RIPV && !f.mcg.EIPV,
    bits: [[1], [0]],
    register: 'mcgStatus',
  },
  {
    code: 'L_MCA_LMCE_WITHOUT_LMCE_P',
    members: ['mcgCap'],
    when: f => f.mcg?.LMCE === true && f.cap?.LMCE_P === false,
    bits: [[3]],
    register: 'mcgStatus',
  },
];

/** Records that no fault of this machine made. */
const NOT_HARDWARE: readonly Rule[] = [
  {
    code: 'L_MCA_NOT_HARDWARE',
    members: ['status'],
    when: f => bogusNote(f.record) !== undefined,
    what: f => bogusNote(f.record) ?? '',
  },
  {
    code: 'L_MCA_VIRTUAL_CPU',
    members: ['microcode'],
    when: f => virtualCpu(f.record) !== undefined,
    what: f => `microcode ${hex(f.record.microcode ?? 0n)} is shown by ${virtualCpu(f.record)}`,
  },
];

const INTEL: readonly Rule[] = [
  {
    code: 'L_MCA_AR_WITHOUT_S',
    when: f => f.cls === 'UC' && f.s.AR && !f.s.S,
    bits: [[56], [55]],
  },
  { code: 'L_MCA_PCC_WITH_S_AR', when: f => f.s.UC && f.s.PCC && (f.s.S || f.s.AR), bits: [[57], [56], [55]] },
  { code: 'L_MCA_S_AR_WITHOUT_UC', when: f => !f.s.UC && (f.s.S || f.s.AR), bits: [[61], [56], [55]] },
  { code: 'L_MCA_S_WITHOUT_EN', when: f => f.s.UC && f.s.S && !f.s.EN, bits: [[60], [56]] },
  {
    code: 'L_MCA_S_AR_WITHOUT_SER_P',
    members: ['mcgCap'],
    when: f => f.cap?.SER_P === false && (f.s.S || f.s.AR),
    bits: [[56], [55]],
  },
  {
    code: 'L_MCA_UCR_WITHOUT_ADDRESS',
    when: f => signalled(f) && !(f.s.ADDRV && f.s.MISCV),
    what: f => f.cls,
    bits: [[59], [58]],
  },
  {
    code: 'L_MCA_UCR_ADDRESS_MODE',
    when: f => signalled(f) && f.s.ADDRV && f.s.MISCV && f.misc !== undefined && f.misc.MODE !== ADDRESS_MODE_PHYSICAL,
    what: f => `${f.cls}, mode ${f.misc?.MODE}`,
    bits: [[8, 6]],
    register: 'misc',
  },
  {
    code: 'L_MCA_SRAR_CODE',
    when: f => f.cls === 'SRAR' && !SRAR_CODES.has(unfiltered(Number(f.s.MCACOD))),
    what: f => hex(f.s.MCACOD),
    bits: [[15, 0]],
  },
  {
    code: 'L_MCA_SRAO_CODE',
    when: f =>
      f.cls === 'SRAO' &&
      !isFirmwareBank(f.record.bank) &&
      !SCRUB.has(unfiltered(Number(f.s.MCACOD))) &&
      unfiltered(Number(f.s.MCACOD)) !== L3_WRITEBACK,
    what: f => hex(f.s.MCACOD),
    bits: [[15, 0]],
  },
  { code: 'L_MCA_SRAR_OVER', when: f => f.cls === 'SRAR' && f.s.OVER, bits: [[62]] },
  {
    code: 'L_MCA_MISC_MODE_RESERVED',
    when: f => f.s.MISCV && f.misc !== undefined && f.misc.MODE >= 4n && f.misc.MODE <= 6n && f.code.class !== 'io',
    what: f => `mode ${f.misc?.MODE}`,
    bits: [[8, 6]],
    register: 'misc',
  },
  {
    code: 'L_MCA_ADDR_LSB',
    when: f => f.s.ADDRV && f.s.MISCV && f.misc !== undefined && Number(f.misc.LSB) >= MAX_PHYSICAL_BITS,
    what: f => `bit ${f.misc?.LSB}`,
    bits: [[5, 0]],
    register: 'misc',
  },
  {
    code: 'L_MCA_COUNT_WITHOUT_CMCI_P',
    members: ['mcgCap'],
    when: f => f.cap?.CMCI_P === false && f.s.CEC !== 0n,
    what: f => hex(f.s.CEC),
    bits: [[52, 38]],
  },
  {
    code: 'L_MCA_COUNT_WITH_UC',
    when: f => f.cap?.CMCI_P === true && f.s.UC && f.s.CEC !== 0n,
    what: f => String(f.s.CEC),
    bits: [[52, 38]],
  },
  {
    code: 'L_MCA_COUNT_OVERFLOW',
    when: f => f.cap?.CMCI_P === true && !f.s.UC && f.s.CEC >= COUNT_OVERFLOW,
    bits: [[52]],
  },
  {
    code: 'L_MCA_TES_WITHOUT_TES_P',
    members: ['mcgCap'],
    when: f => f.cap?.TES_P === false && f.s.TES !== 0n,
    bits: [[54, 53]],
  },
  { code: 'L_MCA_TES_RESERVED', when: f => f.cap?.TES_P === true && !f.s.UC && f.s.TES === 3n, bits: [[54, 53]] },
  { code: 'L_MCA_TES_WITH_UC', when: f => f.cap?.TES_P === true && f.s.UC && f.s.TES !== 0n, bits: [[54, 53]] },
  { code: 'L_MCA_FILTER_WITH_UC', when: f => f.code.filtered && f.s.UC, bits: [[61], [12]] },
  { code: 'L_MCA_NO_CODE', when: f => f.code.class === 'no-error', bits: [[15, 0]] },
  {
    code: 'L_MCA_S_WITHOUT_MCIP',
    members: ['status'],
    when: f => f.s.UC && f.s.S && f.mcg !== undefined && !f.mcg.MCIP,
    bits: [[2]],
    register: 'mcgStatus',
  },
  {
    code: 'L_MCA_VENDOR_MIX',
    members: foreign,
    when: f => foreign(f).length > 0,
  },
];

/** Whether the bank is one of scalable MCA: only there the newer flags exist. */
const scalable = (f: Facts): boolean => (f.record.ipid ?? 0n) !== 0n;
const legacy = (f: Facts): boolean => {
  const cpu = cpuOf(f.record);
  return !scalable(f) && cpu !== undefined && isLegacyAmd(cpu);
};

function unknownXec(f: Facts): boolean {
  const { record } = f;
  const cpu = cpuOf(record);
  if (scalable(f)) {
    const bank = smcaBank(record.ipid ?? 0n, cpu);
    return bank !== undefined && bank.codes[Number(f.a.XEC)] === undefined;
  }
  if (cpu === undefined || legacyBank(record.bank, cpu) === undefined) return false;
  const xec = Number(MCI_STATUS_AMD_LEGACY.read(record.status).XEC);
  return xec !== 0 && legacyText(record.bank, xec, f.code, cpu) === undefined;
}

const AMD: readonly Rule[] = [
  { code: 'L_MCA_DEFERRED_WITH_POISON', when: f => f.a.DEFERRED && f.a.POISON, bits: [[44], [43]] },
  { code: 'L_MCA_DEFERRED_WITH_UC', when: f => f.a.DEFERRED && f.a.UC, bits: [[61], [44]] },
  { code: 'L_MCA_DEFERRED_WITH_PCC', when: f => f.a.DEFERRED && f.a.PCC, bits: [[57], [44]] },
  { code: 'L_MCA_TCC_WITHOUT_UC', when: f => !legacy(f) && f.a.TCC && !f.a.UC, bits: [[61], [55]] },
  { code: 'L_MCA_POISON_WITHOUT_UC', when: f => f.a.POISON && !f.a.UC && !f.a.DEFERRED, bits: [[61], [43]] },
  { code: 'L_MCA_CECC_AND_UECC', when: f => f.a.CECC && f.a.UECC, bits: [[46], [45]] },
  { code: 'L_MCA_CECC_WITH_UC', when: f => f.a.CECC && !f.a.UECC && f.a.UC, bits: [[61], [46]] },
  {
    code: 'L_MCA_UECC_WITHOUT_UC',
    when: f => f.a.UECC && !f.a.CECC && !f.a.UC && !f.a.DEFERRED,
    bits: [[61], [45]],
  },
  {
    code: 'L_MCA_SYND_NOT_VALID',
    members: ['synd'],
    when: f => !legacy(f) && (f.record.synd?.stray ?? 0n) !== 0n,
    what: f => hex64(f.record.synd?.stray ?? 0n),
    bits: [[53]],
  },
  {
    code: 'L_MCA_CORE_NOT_VALID',
    when: f => scalable(f) && !f.a.ERRCOREIDVAL && f.a.ERRCOREID !== 0n,
    what: f => `core ${f.a.ERRCOREID}`,
    bits: [[56], [37, 32]],
  },
  {
    code: 'L_MCA_IPID_MISSING',
    members: ['ipid'],
    when: f => !scalable(f) && !legacy(f) && (f.a.TCC || f.a.SYNDV || f.a.PADDRV),
    bits: [[55], [54], [53]],
  },
  {
    code: 'L_MCA_IPID_UNKNOWN',
    when: f => scalable(f) && smcaBank(f.record.ipid ?? 0n) === undefined,
    what: f => {
      const id = MCA_IPID.read(f.record.ipid ?? 0n);
      return `HwId ${hex(id.HWID)}, McaType ${hex(id.MCATYPE)}`;
    },
    bits: [
      [63, 48],
      [43, 32],
    ],
    register: 'ipid',
  },
  {
    code: 'L_MCA_XEC_UNKNOWN',
    when: unknownXec,
    what: f => hex(f.a.XEC),
    bits: [[21, 16]],
  },
  {
    code: 'L_MCA_ADDR_LSB',
    when: f => f.a.ADDRV && !legacy(f) && amdAddressLsb(f.record) >= MAX_PHYSICAL_BITS,
    what: f => `bit ${amdAddressLsb(f.record)}`,
    bits: [[29, 24]],
  },
];

/** Where AMD's manual has what Intel's has in the section on the left. */
const AMD_SECTION: Readonly<Record<string, string>> = {
  [LINT_CODES.L_MCA_OVER.section]: 'APM vol. 2, Machine-Check Status Registers',
  [LINT_CODES.L_MCA_CODE_RESERVED.section]: 'APM vol. 2, Machine-Check Status Registers',
  'SDM vol. 3B, IA32_MCi_STATUS MSRs': 'APM vol. 2, Machine-Check Status Registers',
  'SDM vol. 3B, IA32_MCG_STATUS MSR': 'APM vol. 2, Machine-Check Global-Status Register',
  'SDM vol. 3B, IA32_MCG_CAP MSR, Count': 'APM vol. 2, Machine-Check Global-Capabilities Register',
  [LINT_CODES.L_MCA_ADDR_LSB.section]: 'PPR, MCA_STATUS AddrLsb',
  'SDM vol. 3B, Interpreting the MCA Error Codes': 'APM vol. 2, Machine-Check Status Registers',
};

function finding(
  code: LintCodeId,
  vendor: McaVendor | undefined,
  what: string | undefined,
  places: readonly FindingPlace[],
): Finding {
  const { severity, title, section: general } = LINT_CODES[code];
  const section = vendor === 'amd' ? (AMD_SECTION[general] ?? general) : general;
  return findingAt(code, severity, what === undefined ? title : `${title} (${what})`, section, places);
}

function apply(rules: readonly Rule[], facts: Facts): Finding[] {
  return rules
    .filter(rule => rule.when(facts))
    .map(rule =>
      finding(rule.code, facts.record.vendor, rule.what?.(facts), [
        ...(rule.bits ?? []).map(([hi, lo]) => bitsOf(rule.register ?? 'status', hi, lo ?? hi)),
        ...(typeof rule.members === 'function' ? rule.members(facts) : (rule.members ?? [])),
      ]),
    );
}

function reservedIn(register: Register, member: RegisterMember, value: bigint | undefined): Finding[] {
  const bits = value === undefined ? 0n : register.read(value).reserved;
  if (bits === 0n) return [];
  const name = REGISTER_NAMES[member];
  return [finding('L_MCA_RESERVED_BITS', undefined, `${name} ${hex64(bits)}`, runsOf(member, name, bits))];
}

/** Reserved bits, register by register; Intel's MCi_STATUS and MCi_MISC have none. */
function reserved(f: Facts): Finding[] {
  const { record } = f;
  const found = [
    ...reservedIn(MCG_STATUS, 'mcgStatus', record.mcgStatus),
    ...reservedIn(MCG_CAP, 'mcgCap', record.mcgCap),
  ];
  if (!f.amd) return found;
  return [
    ...reservedIn(statusRegister(record), 'status', record.status),
    ...reservedIn(MCA_MISC0, 'misc', f.misc?.reserved),
    ...reservedIn(MCA_CONFIG, 'config', record.config),
    ...found,
  ];
}

/** Model-specific codes of a known unit that its table does not have; a unit without a published table has none that is missing. */
function unknownMscod(f: Facts): Finding[] {
  const cpu = cpuOf(f.record);
  const unit = cpu === undefined ? undefined : intelUnit(f.record.bank, cpu);
  if (unit === undefined || unit.mscod.length === 0) return [];
  const bits = mscodRows(unit, f.record.status)
    .filter(row => row.text === undefined)
    .map(({ hi, lo }) => bitsOf('status', hi, lo));
  if (bits.length === 0) return [];
  return [finding('L_MCA_MSCOD_UNKNOWN', 'intel', hex(f.s.MSCOD), bits)];
}

function factsOf(record: McaDeciding): Facts {
  const { status, mcgStatus, mcgCap, misc, vendor } = record;
  return {
    record,
    cls: classify(record),
    code: decodeMcacod(errorCodeOf(status), codeVendorOf(record)),
    s: MCI_STATUS_INTEL.read(status),
    a: MCI_STATUS_AMD.read(status),
    cap: mcgCap === undefined ? undefined : MCG_CAP.read(mcgCap),
    mcg: mcgStatus === undefined ? undefined : MCG_STATUS.read(mcgStatus),
    misc,
    intel: vendor === 'intel',
    amd: vendor === 'amd',
  };
}

/** What is wrong or remarkable about a record, errors first. Empty for a record that hardware may well have written. */
export function findingsOf(record: McaDeciding): Finding[] {
  const facts = factsOf(record);
  if (!facts.s.VAL) {
    return [
      record.status === 0n
        ? finding('L_MCA_EMPTY', record.vendor, undefined, ['status'])
        : finding('L_MCA_VAL_CLEAR', record.vendor, hex64(record.status), [bitsOf('status', 63, 63)]),
    ];
  }
  const found = [
    ...softwareShapes(record).map(({ code, note, places }) => finding(code, record.vendor, note, places)),
    ...apply(NOT_HARDWARE, facts),
    ...apply(BOTH, facts),
    ...(facts.intel ? [...apply(INTEL, facts), ...unknownMscod(facts)] : []),
    ...(facts.amd ? apply(AMD, facts) : []),
    ...reserved(facts),
  ];
  return found.sort(bySeverity);
}

/** @module Which part of the machine a record names, as far as the data say. */
import { legacyBank, legacyText } from './amd-legacy.ts';
import { MCA_IPID, MCI_STATUS_AMD_LEGACY } from './amd-registers.ts';
import { cpuOf } from './cpu.ts';
import type { CpuModel } from './cpu.ts';
import { intelModelInfo, intelPlace } from './intel-model.ts';
import { decodeMcacod, errorCodeOf } from './mcacod.ts';
import type { Mcacod } from './mcacod.ts';
import type { McaDeciding } from './deciding.ts';
import type { McaVendor } from './record.ts';
import { MCI_MISC_IO, MCI_STATUS_AMD, holdsError } from './registers.ts';
import { isBroadcastFiller } from './vmm-made.ts';
import { bankId, coreBank, smcaBank, umcPlace } from './smca-banks.ts';
import { fruText } from './smca-extra.ts';

/** The area decides what to look at next; `unknown` when the data do not say. */
export type ComponentArea = 'core' | 'cache' | 'fabric' | 'memory' | 'link' | 'io' | 'firmware' | 'unknown';

export interface Component {
  area: ComponentArea;
  /** Plain words, e.g. `memory controller 1, channel 2` or `L1 data cache`. */
  name: string;
  /** What the extended or model-specific code adds, as a noun phrase. */
  detail?: string;
  /** Which data said so: a register and its field. */
  basis: string;
  controller?: number;
  channel?: number;
  chipSelect?: number;
  /** PCI address of the root port of an I/O error, `segment:bus:device.function` in hex. */
  pci?: string;
}

/** The PCI address in MCi_MISC of an I/O error; undefined without a valid MCi_MISC or for other errors. */
export function rootPortOf(record: McaDeciding): string | undefined {
  const rootPort = record.misc?.rootPort;
  if (rootPort === undefined) return undefined;
  const m = MCI_MISC_IO.read(rootPort);
  const hex = (n: bigint, width: number): string => n.toString(16).padStart(width, '0');
  return `${hex(m.SEGMENT, 4)}:${hex(m.BUS, 2)}:${hex(m.DEVICE, 2)}.${hex(m.FUNCTION, 1)}`;
}

const NOTHING: Component = { area: 'unknown', name: 'unknown', basis: 'the data do not say' };

const SIDE = { I: 'instruction', D: 'data', G: '' } as const;

/**
 * What the levels of an Intel code are: counted from 0, level 0 is the L1, level 1 the L2 (bank type MLC), and level 2 the
 * last-level cache that the cores share, since Nehalem. Source: SDM vol. 3B, Interpreting Machine-Check Error Codes, and the
 * codes of each unit as Intel published them with its decoders of crash dumps.
 */
const INTEL_LEVELS = { L0: 'L1', L1: 'L2', L2: 'last-level', LG: '' } as const;
/** AMD counts from 1 (APM vol. 2, Error Codes, table "LL"), and no manual tells how Intel's counted before Nehalem. */
const CODE_LEVELS = { L0: 'L0', L1: 'L1', L2: 'L2', LG: '' } as const;
type Levels = typeof INTEL_LEVELS | typeof CODE_LEVELS;

const NEHALEM = 0x1a;
/** Dunnington: of the Core 2 family, in spite of its number. */
const DUNNINGTON = 0x1d;

function levelsOf(vendor: McaVendor, cpu: CpuModel | undefined): Levels {
  if (vendor === 'amd') return CODE_LEVELS;
  const before = cpu !== undefined && (cpu.family !== 6 || cpu.model < NEHALEM || cpu.model === DUNNINGTON);
  return before && cpu.family < 0x10 ? CODE_LEVELS : INTEL_LEVELS;
}

/** `L1 data cache`: a cache or TLB as a code names it. */
function cacheName({ fields }: Mcacod, what: 'cache' | 'TLB', levels: Levels): string {
  const level = fields.LL === undefined ? '' : levels[fields.LL];
  const side = fields.TT === undefined ? '' : SIDE[fields.TT];
  const name = [level, side, what].filter(part => part !== '').join(' ');
  return name === what && what === 'cache' ? 'a cache' : name === what ? 'a TLB' : name;
}

function fromCode(code: Mcacod, basis: string, levels: Levels): Component | undefined {
  switch (code.class) {
    case 'memory-controller':
    case 'extended-memory': {
      const what = code.class === 'memory-controller' ? 'memory controller' : 'memory used as a cache';
      if (code.channel === undefined) return { area: 'memory', name: what, basis };
      return { area: 'memory', name: `${what}, channel ${code.channel}`, basis, channel: code.channel };
    }
    case 'cache-hierarchy':
    case 'generic-cache-hierarchy':
      return { area: 'cache', name: cacheName(code, 'cache', levels), basis };
    case 'tlb':
      return { area: 'core', name: cacheName(code, 'TLB', levels), basis };
    case 'bus-interconnect':
      return { area: code.fields.II === 'IO' ? 'io' : 'fabric', name: 'bus or interconnect', basis };
    case 'io':
      return { area: 'io', name: 'PCIe root port', basis };
    case 'microcode-rom-parity':
      return { area: 'core', name: 'microcode ROM', basis };
    case 'internal-parity':
    case 'internal-timer':
    case 'frc':
      return { area: 'core', name: 'processor core', basis };
    case 'smm-handler-code-access':
      return { area: 'firmware', name: 'system management mode code', basis };
    case 'external':
      return { area: 'unknown', name: 'another processor or a device', basis };
    default:
      return undefined;
  }
}

/** Units of the way from the mesh or ring to the memory. */
const MEMORY_UNITS: ReadonlySet<string> = new Set(['HA', 'IMC', 'HBM_IMC', 'M2M', 'HBM_M2M', 'B2CMI']);

function intelComponent(record: McaDeciding, cpu: CpuModel | undefined): Component | undefined {
  const code = decodeMcacod(errorCodeOf(record.status), 'intel');
  const info = cpu === undefined ? undefined : intelModelInfo(record, cpu);
  const pci = rootPortOf(record);
  if (pci !== undefined) return { area: 'io', name: `PCIe root port ${pci}`, basis: 'MCi_MISC', pci };
  const place = intelPlace(record, cpu);
  const detail = info?.mscod.map(row => row.text).filter(text => text !== undefined);
  const more = detail === undefined || detail.length === 0 ? {} : { detail: detail.join('; ') };
  if (info === undefined) {
    return fromCode(code, 'MCACOD', levelsOf('intel', cpu));
  }
  const basis = `bank ${record.bank} of ${info.source}`;
  const { id, name } = info.unit;
  if (MEMORY_UNITS.has(id)) {
    const controller = info.unit.controller ?? place?.controller;
    const channel = info.unit.channel ?? place?.channel;
    const title = controller === undefined ? name : `${name} ${controller}`;
    return {
      area: 'memory',
      name: channel === undefined ? title : `${title}, channel ${channel}`,
      ...more,
      basis,
      ...(controller === undefined ? {} : { controller }),
      ...(channel === undefined ? {} : { channel }),
    };
  }
  if (id === 'UPI' || id === 'QPI') return { area: 'link', name, ...more, basis };
  if (id === 'MLC') return { area: 'cache', name, basis };
  return { area: 'firmware', name, ...more, basis };
}

function smcaComponent(record: McaDeciding, ipid: bigint, cpu: CpuModel | undefined): Component {
  const register = record.ipid === ipid ? 'MCA_IPID' : 'the name of the bank';
  const bank = smcaBank(ipid, cpu);
  const { HWID, MCATYPE } = MCA_IPID.read(ipid);
  if (bank === undefined) {
    const ids = `HwId 0x${HWID.toString(16)}, McaType 0x${MCATYPE.toString(16)}`;
    return { area: 'unknown', name: `unknown bank type (${ids})`, basis: register };
  }
  const detail = bank.codes[Number(MCI_STATUS_AMD.read(record.status).XEC)];
  const more = detail === undefined ? {} : { detail };
  const place = umcPlace({ ...record, ipid }, cpu);
  if (place === undefined) return { area: bank.area, name: bank.name, ...more, basis: register };
  const { channel, chipSelect } = place;
  const cs = chipSelect === undefined ? '' : `, chip select ${chipSelect}`;
  return {
    area: 'memory',
    name: `UMC channel ${channel}${cs}`,
    ...more,
    basis: chipSelect === undefined ? register : `${register} and MCA_SYND`,
    channel,
    ...(chipSelect === undefined ? {} : { chipSelect }),
  };
}

/** PPR, MCA_STATUS_UMC: the code of DramEccErr. */
export const UMC_DRAM = 0x011b;
/** BKDG: extended code of the northbridge that is a DRAM error. */
const LEGACY_DRAM = new Set([0x00, 0x08]);
const LEGACY_NB = 4;

function legacyComponent(record: McaDeciding, cpu: CpuModel): Component | undefined {
  const bank = legacyBank(record.bank, cpu);
  if (bank === undefined) return undefined;
  const xec = Number(MCI_STATUS_AMD_LEGACY.read(record.status).XEC);
  const code = decodeMcacod(errorCodeOf(record.status), 'amd');
  const detail = legacyText(record.bank, xec, code, cpu);
  const dram = record.bank === LEGACY_NB && LEGACY_DRAM.has(xec);
  const area = dram ? 'memory' : record.bank === LEGACY_NB ? 'fabric' : record.bank < 3 ? 'cache' : 'core';
  return {
    area,
    name: bank.name,
    ...(detail === undefined ? {} : { detail }),
    basis: `bank ${record.bank} of family ${cpu.family.toString(16)}h`,
  };
}

/**
 * Whether a record that names no bank is most likely one of a memory controller: of the published banks it alone reports code 0x011b
 * with extended code 0, and CECC or UECC tells of its ECC. Source: PPR, MCA_STATUS_UMC, DramEccErr.
 */
function isUmcDram({ status }: McaDeciding): boolean {
  const { UC, DEFERRED, CECC, UECC, XEC } = MCI_STATUS_AMD.read(status);
  return errorCodeOf(status) === UMC_DRAM && XEC === 0n && (UC || DEFERRED ? UECC && !CECC : CECC && !UECC);
}

/** Family 17h and later, or a flag that only scalable MCA has. */
function isScalable(record: McaDeciding, cpu: CpuModel | undefined): boolean {
  if (cpu !== undefined) return cpu.family >= 0x17;
  return record.synd !== undefined || MCI_STATUS_AMD.read(record.status).SYNDV;
}

function amdComponent(record: McaDeciding, cpu: CpuModel | undefined): Component | undefined {
  const id = bankId(record);
  if (id !== undefined) return smcaComponent(record, id, cpu);
  const core = cpu === undefined ? undefined : coreBank(record.bank, cpu);
  if (core !== undefined) {
    const detail = core.codes[Number(MCI_STATUS_AMD.read(record.status).XEC)];
    const basis = `bank ${record.bank} of family ${cpu?.family.toString(16)}h`;
    return { area: core.area, name: core.name, ...(detail === undefined ? {} : { detail }), basis };
  }
  if (isScalable(record, cpu)) {
    if (isUmcDram(record)) {
      return {
        area: 'memory',
        name: 'UMC (by its error code alone)',
        detail: 'DRAM ECC error',
        basis:
          'code 0x011b without an extended one, and the bit of its ECC; MCA_IPID would prove it and name the channel',
      };
    }
    return { ...NOTHING, basis: 'scalable MCA names the unit in MCA_IPID, which the input does not have' };
  }
  const legacy = cpu === undefined ? undefined : legacyComponent(record, cpu);
  if (legacy !== undefined) return legacy;
  const code = decodeMcacod(errorCodeOf(record.status), 'amd');
  // Level LG stands for DRAM errors of the memory controller too (a UMC logs them as 0x011b).
  if (code.class === 'cache-hierarchy' && code.fields.LL === 'LG') {
    return {
      ...NOTHING,
      basis: 'the error code leaves the level open; MCA_IPID or the CPU family would name the unit',
    };
  }
  return fromCode(code, 'error code', CODE_LEVELS);
}

/** Banks that no hardware has: Linux makes them from firmware reports. */
export function isFirmwareBank(bank: number): boolean {
  return bank === -1 || bank === 255;
}

/**
 * Whose table the error code of a record is of: in the record that Linux makes of a firmware report it writes Intel's, whatever the CPU is
 * (arch/x86/kernel/cpu/mce/apei.c).
 */
export const codeVendorOf = ({ bank, vendor }: Pick<McaDeciding, 'bank' | 'vendor'>): McaVendor | undefined =>
  isFirmwareBank(bank) ? 'intel' : vendor;

/** The part of the machine a record names. Never guessed: `unknown`, with the reason, where the data do not say. */
export function componentOf(record: McaDeciding): Component {
  const { vendor } = record;
  if (!holdsError(record.status)) return { ...NOTHING, basis: 'VAL is clear' };
  if (vendor === undefined) return { ...NOTHING, basis: 'the CPU vendor is not known' };
  if (isBroadcastFiller(record)) return { ...NOTHING, basis: 'QEMU made the record, and reports nothing in it' };
  if (isFirmwareBank(record.bank))
    return { area: 'memory', name: 'memory, as firmware reported it', basis: `bank ${record.bank}` };
  const cpu = cpuOf(record);
  const found = vendor === 'intel' ? intelComponent(record, cpu) : amdComponent(record, cpu);
  const fru = vendor === 'amd' ? fruText(record) : undefined;
  if (found === undefined || fru === undefined) return found ?? NOTHING;
  return { ...found, name: found.area === 'unknown' ? `FRU ${fru}` : `${found.name}, FRU ${fru}` };
}

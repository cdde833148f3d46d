/** @module The registers of a record with the field tables that apply to it: for tables and bit strips. */
import { bits, defineRegister } from '../registers/register.ts';
import type { Register } from '../registers/register.ts';
import { isLegacyAmd } from './amd-legacy.ts';
import {
  MCA_ADDR,
  MCA_ADDR_WIDE,
  MCA_CONFIG,
  MCA_DESTAT,
  MCA_IPID,
  MCA_SYND,
  MCI_STATUS_AMD_LEGACY,
  MCA_MISC0,
} from './amd-registers.ts';
import { CPUID_1_EAX, cpuOf } from './cpu.ts';
import { intelModelInfo } from './intel-model.ts';
import { decodeMcacod, errorCodeOf } from './mcacod.ts';
import { isLsbInStatus } from './page.ts';
import type { McaDeciding } from './deciding.ts';
import { MCG_CAP, MCG_STATUS, MCI_MISC, MCI_MISC_IO, MCI_STATUS_AMD, MCI_STATUS_INTEL } from './registers.ts';

/** Members of a record that are shown with their fields. */
export type McaRegister =
  | 'status'
  | 'mcgStatus'
  | 'mcgCap'
  | 'addr'
  | 'misc'
  | 'synd'
  | 'ipid'
  | 'config'
  | 'destat'
  | 'deaddr'
  | 'cpuid';

/** A register that a record has, and its layout where that is known. */
interface McaLayout {
  member: McaRegister;
  name: string;
  register?: Register;
}

const { UC } = MCI_STATUS_INTEL.masks;

/** With UC set bits 54:53 are no threshold status (SDM vol. 3B, Enhanced Cache Error Reporting). */
const MCI_STATUS_INTEL_UC: Register = defineRegister({
  name: MCI_STATUS_INTEL.name,
  width: MCI_STATUS_INTEL.width,
  source: MCI_STATUS_INTEL.source,
  fields: MCI_STATUS_INTEL.fields.map(f =>
    f.name === 'TES' ? bits(f.hi, f.lo, f.name, 'without a meaning while UC is set') : f,
  ),
});

const OF_BOTH = new Set(['VAL', 'OVER', 'UC', 'EN', 'MISCV', 'ADDRV', 'PCC']);

/** What Intel's and AMD's MCi_STATUS have in common; the rest depends on the vendor. */
const MCI_STATUS_ANY: Register = defineRegister({
  name: MCI_STATUS_INTEL.name,
  width: MCI_STATUS_INTEL.width,
  source: 'SDM vol. 3B, IA32_MCi_STATUS MSRs; APM vol. 2, Machine-Check Status Registers',
  fields: [
    ...MCI_STATUS_INTEL.fields.filter(f => OF_BOTH.has(f.name)),
    bits(56, 16, 'BY_VENDOR', 'depends on the CPU vendor: counts, classes, syndrome and extended codes'),
    bits(15, 0, 'CODE', 'error code'),
  ],
});

/** The layout of MCi_STATUS for a record; without a vendor only what both have. */
export function statusRegister(record: Pick<McaDeciding, 'status' | 'vendor' | 'ipid' | 'cpuid'>): Register {
  if (record.vendor === undefined) return MCI_STATUS_ANY;
  if (record.vendor === 'intel') return (record.status & UC) === 0n ? MCI_STATUS_INTEL : MCI_STATUS_INTEL_UC;
  const cpu = cpuOf(record);
  const legacy = (record.ipid ?? 0n) === 0n && cpu !== undefined && isLegacyAmd(cpu);
  return legacy ? MCI_STATUS_AMD_LEGACY : MCI_STATUS_AMD;
}

/** The layout of MCi_MISC for a record, or undefined where it is not known. */
export function miscLayout(record: McaDeciding): Register | undefined {
  if (record.vendor === 'amd') return MCA_MISC0;
  if (record.vendor === undefined) return undefined;
  if (decodeMcacod(errorCodeOf(record.status), 'intel').class === 'io') return MCI_MISC_IO;
  const cpu = cpuOf(record);
  const info = cpu === undefined ? undefined : intelModelInfo(record, cpu);
  return info?.misc ?? MCI_MISC;
}

/** AMD keeps the granularity in MCA_ADDR only in scalable banks, and later in the status. */
function addressRegister(record: McaDeciding): Register | undefined {
  if (record.vendor !== 'amd' || (record.ipid ?? 0n) === 0n) return undefined;
  return isLsbInStatus(record) ? MCA_ADDR_WIDE : MCA_ADDR;
}

function deferredAddressRegister(record: McaDeciding): Register {
  return isLsbInStatus({ ...record, status: record.destat ?? 0n }) ? MCA_ADDR_WIDE : MCA_ADDR;
}

/** Name and layout of each register, in the order a person reads them. */
const LAYOUTS: readonly (readonly [McaRegister, string, (record: McaDeciding) => Register | undefined])[] = [
  ['status', 'MCi_STATUS', statusRegister],
  ['mcgStatus', 'MCG_STATUS', () => MCG_STATUS],
  ['addr', 'MCi_ADDR', addressRegister],
  ['misc', 'MCi_MISC', miscLayout],
  ['synd', 'MCA_SYND', () => MCA_SYND],
  ['ipid', 'MCA_IPID', () => MCA_IPID],
  ['config', 'MCA_CONFIG', () => MCA_CONFIG],
  ['destat', 'MCA_DESTAT', () => MCA_DESTAT],
  ['deaddr', 'MCA_DEADDR', deferredAddressRegister],
  ['mcgCap', 'MCG_CAP', () => MCG_CAP],
  ['cpuid', 'CPUID.1:EAX', () => CPUID_1_EAX],
];

/** The registers a record has and their layouts, without their fields. */
export function layoutsOf(record: McaDeciding): McaLayout[] {
  return LAYOUTS.filter(([member]) => record[member] !== undefined).map(([member, name, layout]) => {
    const register = layout(record);
    return register === undefined ? { member, name } : { member, name, register };
  });
}

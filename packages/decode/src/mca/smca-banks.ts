/**
 * @module Types of scalable MCA banks. A bank is what its MCA_IPID says (hardware id and type); the bank number has no
 * meaning of its own. Source: PPR "MCA_IPID" and the table "Mapping of blocks to MCA_IPID[HwId] and [McaType]";
 * types without codes: Linux arch/x86/kernel/cpu/mce/amd.c of 2026, no PPR of which is public.
 */
import { bits, defineRegister } from '../registers/register.ts';
import * as codes from './smca-codes.ts';
import type { CodeTable } from './smca-codes.ts';
import { MCA_IPID } from './amd-registers.ts';
import type { CpuModel } from './cpu.ts';
import { MCI_STATUS_AMD } from './registers.ts';

/** What part of the machine a bank watches: decides what to look at next. */
type SmcaArea = 'core' | 'cache' | 'fabric' | 'memory' | 'link' | 'io' | 'firmware';

interface SmcaBank {
  /** Short name, as AMD's documents use it. */
  id: string;
  /** Plain name, as the middle of a sentence. */
  name: string;
  hwid: number;
  mcaType: number;
  area: SmcaArea;
  codes: CodeTable;
}

type Row = readonly [id: string, name: string, hwid: number, mcaType: number, area: SmcaArea, codes: CodeTable];

const ROWS: readonly Row[] = [
  ['LS', 'load-store unit', 0xb0, 0x00, 'core', codes.LS],
  ['LS_V2', 'load-store unit', 0xb0, 0x10, 'core', codes.LS_V2],
  ['IF', 'instruction fetch unit', 0xb0, 0x01, 'core', codes.IF],
  ['L2_CACHE', 'L2 cache', 0xb0, 0x02, 'cache', codes.L2],
  ['DE', 'decode unit', 0xb0, 0x03, 'core', codes.DE],
  ['EX', 'execution unit', 0xb0, 0x05, 'core', codes.EX],
  ['FP', 'floating point unit', 0xb0, 0x06, 'core', codes.FP],
  ['L3_CACHE', 'L3 cache', 0xb0, 0x07, 'cache', codes.L3],
  ['CS', 'coherent station', 0x2e, 0x00, 'fabric', codes.CS],
  ['PIE', 'data fabric (power, interrupts)', 0x2e, 0x01, 'fabric', codes.PIE],
  ['CS_V2', 'coherent station', 0x2e, 0x02, 'fabric', codes.CS_V2],
  ['MA_LLC', 'memory-attached last level cache', 0x2e, 0x04, 'cache', codes.MALL],
  ['UMC', 'memory controller', 0x96, 0x00, 'memory', codes.UMC],
  ['UMC_V2', 'memory controller of an accelerator', 0x96, 0x01, 'memory', codes.UMC_V2],
  ['EDDR5CMN', 'DDR5 PHY', 0x1e0, 0x00, 'memory', codes.NOT_PUBLIC],
  ['PB', 'parameter block', 0x05, 0x00, 'firmware', codes.PB],
  ['PSP', 'security processor', 0xff, 0x00, 'firmware', codes.PSP],
  ['PSP_V2', 'security processor', 0xff, 0x01, 'firmware', codes.PSP_V2],
  ['MPART', 'root of trust processor', 0xff, 0x02, 'firmware', codes.NOT_PUBLIC],
  ['MPASP', 'security processor', 0xfd, 0x00, 'firmware', codes.NOT_PUBLIC],
  ['MPASP_V2', 'security processor', 0xfd, 0x01, 'firmware', codes.NOT_PUBLIC],
  ['MPM', 'manageability processor', 0xf9, 0x00, 'firmware', codes.NOT_PUBLIC],
  ['MPRAS', 'RAS processor', 0x12, 0x00, 'firmware', codes.NOT_PUBLIC],
  ['SMU', 'system management unit', 0x01, 0x00, 'firmware', codes.SMU],
  ['SMU_V2', 'system management unit', 0x01, 0x01, 'firmware', codes.SMU_V2],
  ['MP5', 'management processor 5', 0x01, 0x02, 'firmware', codes.MP5],
  ['MPDMA', 'DMA engine', 0x01, 0x03, 'io', codes.MPDMA],
  ['MPDACC', 'processor of the data accelerator', 0xbe, 0x00, 'io', codes.NOT_PUBLIC],
  ['DACC_FE', 'data accelerator, front end', 0x157, 0x00, 'io', codes.NOT_PUBLIC],
  ['DACC_BE', 'data accelerator, back end', 0x164, 0x00, 'io', codes.NOT_PUBLIC],
  ['NBIO', 'I/O hub', 0x18, 0x00, 'io', codes.NBIO],
  ['PCIE', 'PCIe root port', 0x46, 0x00, 'io', codes.PCIE],
  ['PCIE_V2', 'PCIe root port', 0x46, 0x01, 'io', codes.PCIE_V2],
  ['PCIE_PL', 'PCIe link', 0x1e1, 0x00, 'io', codes.NOT_PUBLIC],
  ['SSBDCI', 'die to die interconnect', 0x5c, 0x00, 'link', codes.NOT_PUBLIC],
  ['XGMI_PCS', 'socket link controller (xGMI PCS)', 0x50, 0x00, 'link', codes.XGMI_PCS],
  ['NBIF', 'I/O bus interface', 0x6c, 0x00, 'io', codes.NBIF],
  ['SHUB', 'system hub', 0x80, 0x00, 'io', codes.NBIF],
  ['SATA', 'SATA controller', 0xa8, 0x00, 'io', codes.SATA],
  ['USB', 'USB controller', 0xaa, 0x00, 'io', codes.USB],
  ['USR_DP', 'die link (ultra short reach), data plane', 0x170, 0x00, 'link', codes.USR_DP],
  ['USR_CP', 'die link (ultra short reach), control plane', 0x180, 0x00, 'link', codes.USR_CP],
  ['GMI_PCS', 'die link controller (GMI PCS)', 0x241, 0x00, 'link', codes.GMI_PCS],
  ['XGMI_PHY', 'socket link PHY (xGMI)', 0x259, 0x00, 'link', codes.PHY],
  ['WAFL_PHY', 'control link PHY (WAFL)', 0x267, 0x00, 'link', codes.PHY],
  ['GMI_PHY', 'die link PHY (GMI)', 0x269, 0x00, 'link', codes.PHY],
];

export const SMCA_BANKS: readonly SmcaBank[] = ROWS.map(([id, name, hwid, mcaType, area, table]) => ({
  id,
  name,
  hwid,
  mcaType,
  area,
  codes: table,
}));

const within = (n: number, lo: number, hi: number): boolean => n >= lo && n <= hi;

/** Families whose coherent station numbers its errors differently (Genoa revision guide, erratum 1384). */
function hasErratum1384({ family, model }: CpuModel): boolean {
  if (family === 0x19) return within(model, 0x10, 0x1f) || within(model, 0x60, 0x7b) || within(model, 0xa0, 0xaf);
  return family === 0x1a && within(model, 0x40, 0x4f);
}

/** Whether the memory controllers are those of HBM (family 19h models 90h-9Fh). */
function hasHbm({ family, model }: CpuModel): boolean {
  return family === 0x19 && within(model, 0x90, 0x9f);
}

/** The type of bank an MCA_IPID names, or undefined when it is not a published one. */
export function smcaBank(ipid: bigint, cpu?: CpuModel): SmcaBank | undefined {
  const { HWID, MCATYPE } = MCA_IPID.read(ipid);
  const bank = SMCA_BANKS.find(b => BigInt(b.hwid) === HWID && BigInt(b.mcaType) === MCATYPE);
  if (bank === undefined || cpu === undefined) return bank;
  if (bank.id === 'CS_V2' && hasErratum1384(cpu)) return { ...bank, codes: codes.CS_V2_ERRATUM_1384 };
  if (bank.id === 'UMC' && hasHbm(cpu)) return { ...bank, name: 'HBM memory controller', codes: codes.UMC_HBM };
  return bank;
}

/** Banks of a core, by number: the only ones whose number says what they are, in the families of which a PPR is public. */
const CORE_BANKS: Readonly<Record<number, string>> = { 1: 'IF', 2: 'L2_CACHE', 3: 'DE', 5: 'EX', 6: 'FP' };

/**
 * The type of a core's bank where no MCA_IPID was logged: Windows, FreeBSD and macOS keep none. Source: PPR of family 17h models 00h to
 * 3Fh and 71h, of family 19h models 00h to 21h, "MCA Banks". Bank 0 is left out: it stands for a bank that nobody named, too.
 */
export function coreBank(bank: number, { family }: CpuModel): SmcaBank | undefined {
  const id = family === 0x17 || family === 0x19 ? CORE_BANKS[bank] : undefined;
  return id === undefined ? undefined : SMCA_BANKS.find(b => b.id === id);
}

/** What a DDR memory controller's record says of the place: PPR MCA_IPID_UMC (instance) and MCA_SYND_UMC. */
interface UmcPlace {
  channel: number;
  /** Only of a DRAM ECC error (extended code 0) with a valid MCA_SYND. */
  chipSelect?: number;
}

/** MCA_IPID.InstanceIdLo of a memory controller. */
const UMC_INSTANCE = defineRegister({
  name: 'MCA_IPID_UMC',
  width: 32,
  source: 'PPR MCA_IPID_UMC, InstanceIdLo',
  fields: [bits(31, 20, 'CHANNEL', 'channel')],
});
/** MCA_SYND of a memory controller; what of it matters here. */
const UMC_SYND = defineRegister({
  name: 'MCA_SYND_UMC',
  width: 64,
  source: 'PPR MCA_SYND_UMC',
  fields: [bits(2, 0, 'CHIP_SELECT', 'chip select')],
});
/** Bits of MCA_SYND. */
export const UMC_CHIP_SELECT = UMC_SYND.masks.CHIP_SELECT;

/** What names the bank: MCA_IPID, else what a program said of it; undefined where neither is there. */
export function bankId({ ipid, unit }: { ipid?: bigint | undefined; unit?: bigint | undefined }): bigint | undefined {
  return ipid !== undefined && ipid !== 0n ? ipid : unit;
}

/** Names of rasdaemon, and the type of bank that each stands for. */
const NAMES: Readonly<Record<string, string>> = {
  'Instruction Fetch Unit': 'IF',
  'L2 Cache': 'L2_CACHE',
  'Decode Unit': 'DE',
  'Execution Unit': 'EX',
  'Floating Point Unit': 'FP',
  'L3 Cache': 'L3_CACHE',
  'Power, Interrupts, etc.': 'PIE',
  'Unified Memory Controller': 'UMC',
  'Unified Memory Controller V2': 'UMC_V2',
  'Memory Attached Last Level Cache': 'MA_LLC',
  'Parameter Block': 'PB',
  'Microprocessor 5 Unit': 'MP5',
  'MPDMA Unit': 'MPDMA',
  'Northbridge IO Unit': 'NBIO',
  'Ext Global Memory Interconnect PCS Unit': 'XGMI_PCS',
  'NBIF Unit': 'NBIF',
  'System Hub Unit': 'SHUB',
  'SATA Unit': 'SATA',
  'USB Unit': 'USB',
  'Ultra Short Reach Data Plane Controller': 'USR_DP',
  'Ultra Short Reach Control Plane Controller': 'USR_CP',
  'Global Memory Interconnect PCS Unit': 'GMI_PCS',
  'Ext Global Memory Interconnect PHY Unit': 'XGMI_PHY',
  'WAFL PHY Unit': 'WAFL_PHY',
  'Global Memory Interconnect PHY Unit': 'GMI_PHY',
};

/**
 * MCA_IPID of a bank as far as its name says it: those of rasdaemon (mce-amd-smca.c, smca_names) that stand for one type. The load-store
 * unit, the coherent station, the security processor, the SMU and PCIe have one name for types with different codes.
 *
 * @param channel of a memory controller
 */
export function unitNamed(name: string, channel = 0): bigint | undefined {
  const id = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
  const bank = SMCA_BANKS.find(b => b.id === id);
  if (bank === undefined) return undefined;
  const INSTANCELO = bank.id === 'UMC' ? UMC_INSTANCE.encode({ CHANNEL: BigInt(channel) }) : 0n;
  return MCA_IPID.encode({ HWID: BigInt(bank.hwid), MCATYPE: BigInt(bank.mcaType), INSTANCELO });
}

/** Channel and chip select of a UMC record; undefined for other banks and for HBM, whose places are numbered otherwise. */
export function umcPlace(
  record: { ipid: bigint; status: bigint; synd?: { chipSelect: bigint } | undefined },
  cpu?: CpuModel,
): UmcPlace | undefined {
  if (smcaBank(record.ipid, cpu)?.codes !== codes.UMC) return undefined;
  const channel = Number(UMC_INSTANCE.read(MCA_IPID.read(record.ipid).INSTANCELO).CHANNEL);
  const { SYNDV, XEC } = MCI_STATUS_AMD.read(record.status);
  if (!SYNDV || record.synd === undefined || XEC !== 0n) return { channel };
  return { channel, chipSelect: Number(record.synd.chipSelect) };
}

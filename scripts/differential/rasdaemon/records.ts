/** @module Machine checks that rasdaemon is held to ours with: by vendor and CPU model, the same in every run. */
import { SMCA_BANKS } from '@syndrome/decode/mca/smca-banks.ts';
import { MCI_STATUS_AMD, MCI_STATUS_INTEL } from '@syndrome/decode/mca/registers.ts';

/** The registers of one bank, and where it is given to. */
export interface MadeRecord {
  bank: number;
  status: bigint;
  /** Another one in each record, by which rows and records find one another. */
  addr: bigint;
  misc: bigint;
  mcgStatus: bigint;
  synd: bigint;
  ipid: bigint;
  broadcast?: true;
}

/** A guest of the lab with rasdaemon in it, and what it is given. */
export interface RasGuest {
  name: string;
  vendor: 'intel' | 'amd';
  /** -cpu of QEMU. */
  cpu: string;
  /** Added to the command line of the kernel. */
  append?: string;
  /** By the kernel's own injector, which takes every register and harms nothing; or by QEMU's monitor, as hardware would. */
  way: 'mce-inject' | 'qemu';
  records: readonly MadeRecord[];
}

type Made = Pick<MadeRecord, 'bank' | 'status'> & Partial<MadeRecord>;

const FIRST_ADDRESS = 0x800_0000n;
const PAGE = 0x1000n;
/** MCi_MISC: a physical address whose lowest bit is 12 (SDM vol. 3B, IA32_MCi_MISC MSRs). */
const PHYSICAL_PAGE = 0x8cn;

const numbered = (made: readonly Made[]): MadeRecord[] =>
  made.map((record, i) => ({
    addr: FIRST_ADDRESS + BigInt(i) * PAGE,
    misc: PHYSICAL_PAGE,
    mcgStatus: 0n,
    synd: 0n,
    ipid: 0n,
    ...record,
  }));

const range = (from: number, end: number, step = 1): number[] =>
  Array.from({ length: Math.ceil((end - from) / step) }, (_, i) => from + i * step);

/** Error codes of Intel: all simple ones, the forms of all compound ones, what is reserved, and what is filtered. */
const INTEL_CODES: readonly number[] = [
  ...range(0x00, 0x20),
  ...range(0x80, 0x100, 15),
  ...range(0x100, 0x1a0),
  ...range(0x280, 0x300, 15),
  0x400,
  0x401,
  0x40c,
  0x410,
  0x5ff,
  ...range(0x800, 0x1000, 37),
  0xe0b,
  0x1e0b,
  0x1000,
  0x1005,
  0x100c,
  0x1090,
  0x1134,
  0x1152,
  0x1405,
  0x2134,
  0x600,
  0xffff,
];
/** Codes of a cache and of a memory controller, each with every combination of the flags. */
const FLAGGED = [0x134, 0x91];

const intel = (fields: Parameters<typeof MCI_STATUS_INTEL.encode>[0]): bigint =>
  MCI_STATUS_INTEL.encode({ VAL: true, EN: true, ADDRV: true, MISCV: true, ...fields });

function intelFlags(code: number): Made[] {
  return range(0, 128).map(flags => {
    const has = (bit: number): boolean => ((flags >> bit) & 1) === 1;
    const UC = has(0);
    const own = UC ? { S: has(1), AR: has(2) } : { TES: BigInt((flags >> 1) & 3), CEC: 3n };
    const more = { UC, PCC: has(3), OVER: has(4), EN: has(5), ADDRV: has(6) };
    return { bank: 3, status: intel({ MCACOD: BigInt(code), ...own, ...more }) };
  });
}

/** Of all models; its records have an error code of which its table says nothing. */
const PCU_BANK = '4';

/** @param banks that have a model-specific code, with the values of bits 31:16 */
function intelRecords(banks: Readonly<Record<number, readonly number[]>>): MadeRecord[] {
  const ports = [0x1120000n, 0x7f_ff_1f_0000n].map(
    (misc): Made => ({
      bank: 6,
      misc,
      status: intel({ MCACOD: 0xe0bn, CEC: 1n }),
    }),
  );
  const models = Object.entries(banks).flatMap(([bank, values]) =>
    values.map(
      (value): Made => ({
        bank: Number(bank),
        status: intel({ MSCOD: BigInt(value), MCACOD: BigInt(bank === PCU_BANK ? 0x410 : 0x91), CEC: 1n }),
      }),
    ),
  );
  return numbered([
    ...INTEL_CODES.map((code): Made => ({ bank: 3, status: intel({ MCACOD: BigInt(code), CEC: 1n }) })),
    ...FLAGGED.flatMap(intelFlags),
    ...ports,
    ...models,
  ]);
}

const singles = (lo: number, hi: number): number[] => range(lo - 16, hi - 15).map(bit => 1 << bit);
const UPI = [...range(0, 0x34), ...singles(22, 31).map(bit => bit | 0x12)];
const PCU = [...range(0, 0x10), ...range(1, 0x10).map(n => n << 4), ...range(1, 0xb5).map(n => n << 8)];
const M2M = [0, ...singles(16, 25)];

/** Error codes of AMD: those of each form, and what is reserved. */
const AMD_CODES: readonly number[] = [
  ...range(0x00, 0x20),
  ...range(0x100, 0x1a0, 3),
  ...range(0x400, 0x800, 0x80),
  ...range(0x800, 0x1000, 37),
  0x0011,
  0x011b,
  0x0135,
  0x0c00,
  0x0f00,
  0x1000,
];
const UMC = SMCA_BANKS.find(bank => bank.id === 'UMC');
/** MCA_IPID: hardware id, type and the instance of channel 3. */
const ipidOf = ({ hwid, mcaType }: { hwid: number; mcaType: number }): bigint =>
  (BigInt(mcaType) << 48n) | (BigInt(hwid) << 32n) | 0x0035_0f00n;
const amd = (fields: Parameters<typeof MCI_STATUS_AMD.encode>[0]): bigint =>
  MCI_STATUS_AMD.encode({ VAL: true, EN: true, ADDRV: true, MISCV: true, SYNDV: true, ...fields });
const SYND = 0x5a00_0000_0000_0002n;

/** Of each type of bank its extended codes and the first behind them; of a memory controller each code and each flag. */
function smcaRecords(): MadeRecord[] {
  const types = SMCA_BANKS.flatMap(type => {
    const last = Math.max(0, ...Object.keys(type.codes).map(Number));
    return range(0, Math.min(0x40, last + 2)).map(
      (code): Made => ({
        bank: 1,
        ipid: ipidOf(type),
        synd: SYND,
        status: amd({ CECC: true, XEC: BigInt(code), ERRORCODE: 0x011bn }),
      }),
    );
  });
  const umc = { bank: 9, ipid: ipidOf(UMC ?? { hwid: 0, mcaType: 0 }), synd: SYND };
  const flags = range(0, 256).map((n): Made => {
    const has = (bit: number): boolean => ((n >> bit) & 1) === 1;
    const a = { UC: has(0), PCC: has(1), DEFERRED: has(2), POISON: has(3) };
    const b = { TCC: has(4), OVER: has(5), CECC: has(6), UECC: has(7), ERRORCODE: 0x011bn };
    return { ...umc, status: amd({ ...a, ...b }) };
  });
  const codes = AMD_CODES.map((code): Made => ({ ...umc, status: amd({ CECC: true, ERRORCODE: BigInt(code) }) }));
  return numbered([...types, ...flags, ...codes]);
}

/** What QEMU's monitor gives the banks, as hardware would: corrected errors, and what the guest survives of the others. */
const INTEL_LIVE: readonly Made[] = [
  ...[0x0005, 0x0090, 0x0134, 0x000c, 0x0014, 0x0150, 0x017a].map(
    (code, i): Made => ({
      bank: i,
      status: intel({ MCACOD: BigInt(code), CEC: 1n }),
    }),
  ),
  { bank: 7, status: intel({ OVER: true, MSCOD: 1n, MCACOD: 0x90n, CEC: 2n }) },
  { bank: 8, status: intel({ TES: 2n, MCACOD: 0x135n }) },
  // Action optional, to all CPUs: RIPV and MCIP.
  { bank: 9, status: intel({ UC: true, S: true, MCACOD: 0xc0n }), mcgStatus: 5n, broadcast: true },
];
const AMD_LIVE: readonly Made[] = [
  ...[0x0011, 0x011b, 0x0135, 0x0150, 0x0400, 0x0b1b].map(
    (code, i): Made => ({
      bank: i,
      status: MCI_STATUS_AMD.encode({ VAL: true, EN: true, ADDRV: true, MISCV: true, ERRORCODE: BigInt(code) }),
    }),
  ),
  ...[0x0135, 0x011b].map(
    (code, i): Made => ({
      bank: 6 + i,
      status: MCI_STATUS_AMD.encode({
        VAL: true,
        EN: true,
        ADDRV: true,
        MISCV: true,
        DEFERRED: true,
        ERRORCODE: BigInt(code),
      }),
    }),
  ),
];

export const RAS_GUESTS: readonly RasGuest[] = [
  {
    name: 'Skylake-SP',
    vendor: 'intel',
    cpu: 'Skylake-Server',
    way: 'mce-inject',
    records: intelRecords({ 4: PCU, 5: UPI, 7: M2M, 8: M2M }),
  },
  {
    name: 'Ice Lake-SP',
    vendor: 'intel',
    cpu: 'Icelake-Server',
    way: 'mce-inject',
    records: intelRecords({ 4: PCU, 5: UPI, 7: UPI, 8: UPI }),
  },
  // Linux believes that the CPU has scalable banks: QEMU emulates none, the injector needs none.
  {
    name: 'Genoa',
    vendor: 'amd',
    cpu: 'EPYC-Genoa',
    append: 'setcpuid=smca',
    way: 'mce-inject',
    records: smcaRecords(),
  },
  { name: 'Skylake-SP, by QEMU', vendor: 'intel', cpu: 'Skylake-Server', way: 'qemu', records: numbered(INTEL_LIVE) },
  { name: 'Rome, by QEMU', vendor: 'amd', cpu: 'EPYC-Rome', way: 'qemu', records: numbered(AMD_LIVE) },
];

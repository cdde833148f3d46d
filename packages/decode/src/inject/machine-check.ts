/** @module A machine check record made of a name, or of the words for its fields: `VAL UC MCACOD=0x134 RIPV`. */
import { UsageError } from '../common/errors.ts';
import { parseU64 } from '../common/hex.ts';
import { MCA_IPID } from '../mca/amd-registers.ts';
import { MISC_PAGE } from '../mca/vmm-made.ts';
import type { NamedMca } from '../mca/named.ts';
import type { McaVendor, X86McaRecord } from '../mca/record.ts';
import { MCG_STATUS, MCI_STATUS_AMD, MCI_STATUS_INTEL } from '../mca/registers.ts';
import { SMCA_BANKS } from '../mca/smca-banks.ts';
import type { Register } from '../registers/register.ts';

/** Bank of a record that no one has named a bank for: the one QEMU uses for memory errors. */
const BANK = 9;

const ADDRESS = MCI_STATUS_INTEL.encode({ ADDRV: true, MISCV: true });
const MISC = MCI_STATUS_INTEL.encode({ MISCV: true });
const SYNDROME = MCI_STATUS_AMD.encode({ SYNDV: true });

/** The two status registers of a machine check. */
interface McaStatus {
  status: bigint;
  mcgStatus: bigint;
}

/**
 * Registers made of the names of their fields; those of MCG_STATUS go into that.
 * @throws UsageError for a word that names no field, or without the number that it needs
 * @example statusOfWords(['VAL', 'UC', 'MCACOD=0x134', 'RIPV'], 'intel')
 */
export function statusOfWords(words: readonly string[], vendor: McaVendor): McaStatus {
  const table: Register = vendor === 'amd' ? MCI_STATUS_AMD : MCI_STATUS_INTEL;
  const status: Record<string, bigint | boolean> = {};
  const mcg: Record<string, bigint | boolean> = {};
  for (const word of words) {
    const [name = '', text] = word.split('=', 2);
    const upper = name.toUpperCase();
    const field = table.fields.find(f => f.name === upper);
    const mcgField = MCG_STATUS.fields.find(f => f.name === upper);
    const target = field !== undefined ? status : mcgField !== undefined ? mcg : undefined;
    const kind = (field ?? mcgField)?.kind;
    if (target === undefined || (kind === 'bits' && text === undefined)) {
      const fields = [...table.fields, ...MCG_STATUS.fields].map(f => (f.kind === 'bit' ? f.name : `${f.name}=N`));
      throw new UsageError('E_USAGE', `${word} is neither a named record nor a field of ${vendor} MCi_STATUS`, {
        hint: `Fields: ${fields.join(' ')}. Named records: syndrome encode --list.`,
      });
    }
    const value = text === undefined ? 1n : parseU64(text);
    if (value === undefined) {
      throw new UsageError('E_USAGE', `${name} ${text} is not a 64-bit value`, { hint: 'Write 0x… or decimal.' });
    }
    target[upper] = kind === 'bit' ? value !== 0n : value;
  }
  return { status: table.encode(status as never), mcgStatus: MCG_STATUS.encode(mcg as never) };
}

/** MCA_IPID of the first instance of a bank type such as `UMC`, in any case; undefined for other text. */
export function ipidOfType(text: string): bigint | undefined {
  const bank = SMCA_BANKS.find(b => b.id === text.toUpperCase());
  return bank && MCA_IPID.encode({ MCATYPE: BigInt(bank.mcaType), HWID: BigInt(bank.hwid) });
}

/** What a machine check is made of. Registers are u64. */
interface MachineCheckParts {
  vendor: McaVendor;
  /** A named record, or the status registers. */
  from: NamedMca | McaStatus;
  cpu?: number;
  bank?: number | undefined;
  addr?: bigint | undefined;
  misc?: bigint | undefined;
  /** AMD. */
  synd?: bigint | undefined;
  ipid?: bigint | undefined;
}

/**
 * The record. Registers that status says to be valid are there, and those that were given are valid; only a named record
 * that has no address takes none.
 */
export function machineCheck({ vendor, from, cpu = 0, bank, addr, misc, synd, ipid }: MachineCheckParts): X86McaRecord {
  const named = 'name' in from ? from : undefined;
  let { status } = from;
  if (named === undefined && addr !== undefined) status |= ADDRESS;
  if (misc !== undefined) status |= MISC;
  if (synd !== undefined) status |= SYNDROME;
  const valid = MCI_STATUS_INTEL.read(status);
  return {
    kind: 'x86-mca',
    vendor,
    cpu,
    bank: bank ?? named?.bank ?? BANK,
    status,
    mcgStatus: from.mcgStatus,
    ...(valid.ADDRV ? { addr: addr ?? 0n } : {}),
    ...(valid.MISCV ? { misc: misc ?? named?.misc ?? MISC_PAGE } : {}),
    ...(synd === undefined ? {} : { synd }),
    ...(ipid === undefined ? {} : { ipid }),
  };
}

import { UsageError } from '@syndrome/decode/common/errors.ts';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { COLUMNS, wrap } from '@syndrome/decode/decode/wrap.ts';
import { NAMED_MCA, namedMca } from '@syndrome/decode/mca/named.ts';
import type { McaVendor, X86McaRecord } from '@syndrome/decode/mca/record.ts';
import { MCG_STATUS, MCI_STATUS_AMD, MCI_STATUS_INTEL } from '@syndrome/decode/mca/registers.ts';
import { SMCA_BANKS } from '@syndrome/decode/mca/smca-banks.ts';
import { mceCommandLine } from '@syndrome/qemu/qmp/mce.ts';
import type { Register } from '@syndrome/decode/registers/register.ts';
import { type EncodeOptions, refuse, u64 } from './encode-options.ts';
import { print, printJson } from './output.ts';
import { vendorOf } from './record-inputs.ts';

/** MISC of a 4 KiB page: address mode physical, LSB 12. */
const MISC_PAGE = 0x8cn;
const ADDRV = 1n << 58n;
const MISCV = 1n << 59n;
const SYNDV = 1n << 53n;

function index(option: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^\d{1,4}$/.test(text)) throw new UsageError('E_USAGE', `--${option} ${text} is not a small number`);
  return Number(text);
}

/** MCA_IPID as a number, or that of the first instance of a bank type: its hardware id and type. */
function ipidOf(text: string): bigint {
  const bank = SMCA_BANKS.find(b => b.id === text.toUpperCase());
  if (bank !== undefined) return (BigInt(bank.mcaType) << 48n) | (BigInt(bank.hwid) << 32n);
  if (/^[a-z]/i.test(text)) {
    throw new UsageError('E_USAGE', `--ipid ${text}: no bank type of that name`, {
      hint: `Types: ${SMCA_BANKS.map(b => b.id).join(' ')}.`,
    });
  }
  return u64('--ipid', text);
}

/** Field words of a register: `VAL UC MCACOD=0x134`. Names of MCG_STATUS go into that. */
function registersOf(words: readonly string[], vendor: McaVendor): { status: bigint; mcgStatus: bigint } {
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
    const value = text === undefined ? 1n : u64(name, text);
    target[upper] = kind === 'bit' ? value !== 0n : value;
  }
  return { status: table.encode(status as never), mcgStatus: MCG_STATUS.encode(mcg as never) };
}

const ROWS: readonly (readonly [label: string, member: 'addr' | 'misc' | 'synd' | 'ipid'])[] = [
  ['MCi_ADDR', 'addr'],
  ['MCi_MISC', 'misc'],
  ['MCA_SYND', 'synd'],
  ['MCA_IPID', 'ipid'],
];

/** Columns in front of a value. */
const LABEL = 12;

/** Without leading zeros, as QEMU's command has it. */
function short(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** Prints a record: registers, the command for QEMU, and how to decode it. `hints` stand behind a register's value. */
export function printMca(
  record: X86McaRecord,
  options: EncodeOptions,
  hints: Readonly<Record<string, string>> = {},
): void {
  const { status, vendor, bank, cpu = 0, mcgStatus = 0n, addr = 0n, misc = 0n } = record;
  const mce = { cpu, bank, status, mcgStatus, addr, misc, broadcast: options.broadcast === true };
  const command = mceCommandLine(mce);
  const amd = Object.fromEntries(['synd', 'ipid'].filter(n => n in record).map(n => [n, record[n as 'synd' | 'ipid']]));
  if (options.json) {
    printJson({ schemaVersion: 1, kind: 'x86-mca', vendor, ...mce, ...amd, command });
    return;
  }
  print(`MCi_STATUS  ${hex64(status)}`);
  print(`MCG_STATUS  ${hex64(mcgStatus)}`);
  for (const [label, member] of ROWS) {
    const value = record[member];
    if (value !== undefined) print(`${label}    ${hex64(value)}${hints[member] ?? ''}`);
  }
  print(`QEMU        ${command}`);
  if ('synd' in amd || 'ipid' in amd) print('            QEMU knows neither MCA_SYND nor MCA_IPID');
  const values = [`bank=${bank}`, `status=${short(status)}`, `mcgstatus=${short(mcgStatus)}`];
  if (vendor !== undefined) values.unshift(`vendor=${vendor}`);
  for (const [, member] of ROWS) {
    const value = record[member];
    if (value !== undefined) values.push(`${member}=${short(value)}`);
  }
  const decode = `syndrome decode ${values.join(' ')}`;
  // A command is not broken: one that is too long stands alone.
  if (LABEL + decode.length <= COLUMNS) print(`${'decode'.padEnd(LABEL)}${decode}`);
  else {
    print('decode');
    print(decode);
  }
}

/** A named machine check, or one made of the fields of its registers. */
export function encodeMca(words: readonly string[], options: EncodeOptions): void {
  refuse(options, 'a machine check', ['gpa', 'severity', 'record', 'base64', 'out']);
  const whole = namedMca(words.join('-'));
  const first = whole ?? namedMca(words[0] ?? '');
  if (whole === undefined && first !== undefined) {
    throw new UsageError('E_USAGE', `${words[1]}: a named record takes no fields`, {
      hint: 'Use --addr, --misc, --bank.',
    });
  }
  const named = whole;
  const vendor = vendorOf(options.vendor) ?? named?.vendor ?? 'intel';
  if (vendor === 'intel') refuse(options, 'Intel registers; add --vendor amd', ['synd', 'ipid']);
  const registers = named ?? registersOf(words, vendor);
  let { status } = registers;
  const addr = options.addr === undefined ? undefined : u64('--addr', options.addr);
  const synd = options.synd === undefined ? undefined : u64('--synd', options.synd);
  if (named === undefined && addr !== undefined) status |= ADDRV | MISCV;
  if (options.misc !== undefined) status |= MISCV;
  if (synd !== undefined) status |= SYNDV;
  const record: X86McaRecord = {
    kind: 'x86-mca',
    vendor,
    cpu: index('cpu', options.cpu, 0),
    bank: index('bank', options.bank, named?.bank ?? 9),
    status,
    mcgStatus: registers.mcgStatus,
  };
  if ((status & ADDRV) !== 0n) record.addr = addr ?? 0n;
  else if (addr !== undefined) {
    throw new UsageError('E_USAGE', `--addr: ${named?.name ?? 'the record'} has no address`, {
      hint: 'Its status says ADDRV 0. Choose another name, or give the fields.',
    });
  }
  if ((status & MISCV) !== 0n)
    record.misc = options.misc === undefined ? (named?.misc ?? MISC_PAGE) : u64('--misc', options.misc);
  if (synd !== undefined) record.synd = synd;
  if (options.ipid !== undefined) record.ipid = ipidOf(options.ipid);
  if (named !== undefined && !options.json) for (const line of wrap(`${named.name}: ${named.explanation}`)) print(line);
  printMca(record, options, addr === undefined ? { addr: '  (give --addr)' } : {});
}

/** Lists the names. */
export function listMca(): void {
  for (const n of NAMED_MCA) {
    const alias = n.alias === undefined ? '' : `  or ${n.alias}`;
    print(`  ${n.name.padEnd(18)}${n.vendor.padEnd(7)}${hex64(n.status)}${alias}`);
  }
}

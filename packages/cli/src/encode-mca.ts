import { UsageError } from '@syndrome/decode/common/errors.ts';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { COLUMNS, wrap } from '@syndrome/decode/decode/wrap.ts';
import { ipidOfType, machineCheck, statusOfWords } from '@syndrome/decode/inject/machine-check.ts';
import { mceOfRecord } from '@syndrome/decode/inject/mce.ts';
import { mceCommandLine } from '@syndrome/decode/inject/mce-command.ts';
import { NAMED_MCA, namedMca } from '@syndrome/decode/mca/named.ts';
import type { X86McaRecord } from '@syndrome/decode/mca/record.ts';
import { SMCA_BANKS } from '@syndrome/decode/mca/smca-banks.ts';
import { type EncodeOptions, refuse, u64 } from './encode-options.ts';
import { print, printJson } from './output.ts';
import { vendorOf } from './record-inputs.ts';

function index(option: string, text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new UsageError('E_USAGE', `--${option} ${text} is not a small number`);
  return Number(text);
}

/** MCA_IPID as a number, or that of the first instance of a bank type. */
function ipidOf(text: string): bigint {
  const ipid = ipidOfType(text);
  if (ipid !== undefined) return ipid;
  if (/^[a-z]/i.test(text)) {
    throw new UsageError('E_USAGE', `--ipid ${text}: no bank type of that name`, {
      hint: `Types: ${SMCA_BANKS.map(b => b.id).join(' ')}.`,
    });
  }
  return u64('--ipid', text);
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
  const { vendor } = record;
  const { way: _, ...mce } = mceOfRecord(record, options.broadcast);
  const command = mceCommandLine(mce);
  const { bank, status, mcgStatus } = mce;
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
  const value = (name: 'addr' | 'misc' | 'synd'): bigint | undefined => {
    const text = options[name];
    return text === undefined ? undefined : u64(`--${name}`, text);
  };
  const from = named ?? statusOfWords(words, vendor);
  const addr = value('addr');
  const record = machineCheck({
    vendor,
    from,
    addr,
    synd: value('synd'),
    ...(options.cpu === undefined ? {} : { cpu: index('cpu', options.cpu) }),
    bank: options.bank === undefined ? undefined : index('bank', options.bank),
    misc: value('misc'),
    ipid: options.ipid === undefined ? undefined : ipidOf(options.ipid),
  });
  if (addr !== undefined && record.addr === undefined) {
    throw new UsageError('E_USAGE', `--addr: ${named?.name ?? 'the record'} has no address`, {
      hint: 'Its status says ADDRV 0. Choose another name, or give the fields.',
    });
  }
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

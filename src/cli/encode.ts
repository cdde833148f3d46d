import { writeFileSync } from 'node:fs';
import { NAMED_ESR, namedEsr } from '../arm/encode.ts';
import { UsageError, messageOf } from '../common/errors.ts';
import { hex64, parseU64 } from '../common/hex.ts';
import { bodyFromJson } from '../cper/json.ts';
import { CPER_SEVERITIES, QEMU_GHES_MAX_BYTES, encodeGhesBlock } from '../cper/ghes.ts';
import { bytesToHex } from '../cper/layout.ts';
import type { CperBody, CperSeverity } from '../cper/record.ts';
import { SECTIONS, sectionOfKind } from '../cper/sections.ts';
import { encodeCperRecord, makeCperRecord } from '../cper/uefi-record.ts';
import { wrap } from '../decode/wrap.ts';
import { NAMED_MCA, namedMca } from '../mca/named.ts';
import type { McaVendor } from '../mca/record.ts';
import { MCG_STATUS, MCI_STATUS_AMD, MCI_STATUS_INTEL } from '../mca/registers.ts';
import { mceCommandLine } from '../qmp/mce.ts';
import type { Register } from '../registers/register.ts';
import { type GlobalOptions, print, printJson } from './output.ts';
import { InputError, vendorOf } from './record-inputs.ts';

export interface EncodeOptions extends GlobalOptions {
  addr?: string;
  misc?: string;
  cpu?: string;
  bank?: string;
  vendor?: string;
  broadcast?: boolean;
  severity?: string;
  record?: boolean;
  base64?: boolean;
  out?: string;
  list?: boolean;
  json?: boolean;
}

/** MISC of a 4 KiB page: address mode physical, LSB 12. */
const MISC_PAGE = 0x8cn;
const ADDRV = 1n << 58n;
const MISCV = 1n << 59n;

function u64(option: string, text: string): bigint {
  const value = parseU64(text);
  if (value === undefined) {
    throw new UsageError('E_USAGE', `${option} ${text} is not a 64-bit value`, { hint: 'Write 0x… or decimal.' });
  }
  return value;
}

function index(option: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^\d{1,4}$/.test(text)) throw new UsageError('E_USAGE', `--${option} ${text} is not a small number`);
  return Number(text);
}

function list(): void {
  print('machine checks:');
  for (const n of NAMED_MCA) print(`  ${n.name.padEnd(18)}${n.vendor.padEnd(7)}${hex64(n.status)}`);
  print('arm64 syndromes:');
  for (const n of NAMED_ESR) print(`  ${n.name.padEnd(18)}EL${n.el}    ${hex64(n.esr)}  ${n.text}`);
  print('firmware sections, with NAME=VALUE members:');
  for (const s of SECTIONS) print(`  ${s.kind.padEnd(18)}${s.name}`);
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

function encodeMca(words: readonly string[], options: EncodeOptions): void {
  const first = words[0] ?? '';
  const named = namedMca(first);
  if (named !== undefined && words.length > 1) {
    throw new UsageError('E_USAGE', `${words[1]}: a named record takes no fields`, {
      hint: 'Use --addr, --misc, --bank.',
    });
  }
  const vendor = vendorOf(options.vendor) ?? named?.vendor ?? 'intel';
  const registers = named ?? registersOf(words, vendor);
  const { mcgStatus } = registers;
  let { status } = registers;
  const addr = options.addr === undefined ? undefined : u64('--addr', options.addr);
  const misc = options.misc === undefined ? (named?.misc ?? MISC_PAGE) : u64('--misc', options.misc);
  if (named === undefined && addr !== undefined) status |= ADDRV | MISCV;
  const usesAddress = (status & ADDRV) !== 0n;
  const usesMisc = (status & MISCV) !== 0n;
  const cpu = index('cpu', options.cpu, 0);
  const bank = index('bank', options.bank, named?.bank ?? 9);
  const mce = {
    cpu,
    bank,
    status,
    mcgStatus,
    addr: usesAddress ? (addr ?? 0n) : 0n,
    misc: usesMisc ? misc : 0n,
    broadcast: options.broadcast === true,
  };
  const command = mceCommandLine(mce);
  if (options.json) {
    printJson({ schemaVersion: 1, kind: 'x86-mca', vendor, ...mce, command });
    return;
  }
  if (named !== undefined) for (const line of wrap(`${named.name}: ${named.explanation}`)) print(line);
  print(`MCi_STATUS  ${hex64(status)}`);
  print(`MCG_STATUS  ${hex64(mcgStatus)}`);
  if (usesAddress) print(`MCi_ADDR    ${hex64(mce.addr)}${addr === undefined ? '  (give --addr)' : ''}`);
  if (usesMisc) print(`MCi_MISC    ${hex64(mce.misc)}`);
  print(`QEMU        ${command}`);
  const values = [`vendor=${vendor}`, `bank=${bank}`, `status=${hex64(status)}`, `mcgstatus=${hex64(mcgStatus)}`];
  if (usesAddress) values.push(`addr=${hex64(mce.addr)}`);
  if (usesMisc) values.push(`misc=${hex64(mce.misc)}`);
  print(`decode      syndrome decode ${values.join(' ')}`);
}

/** A section from `NAME=VALUE` members: numbers, or text where they are none. Throws for members that do not fit. */
function bodyOf(kind: string, words: readonly string[], addr: string | undefined): CperBody {
  const members = addr === undefined ? words : [...words, `physicalAddress=${hex64(u64('--addr', addr))}`];
  const body: Record<string, unknown> = { kind };
  for (const member of members) {
    const at = member.indexOf('=');
    if (at < 1) throw new UsageError('E_USAGE', `${member}: expected NAME=VALUE`);
    const text = member.slice(at + 1);
    const value = parseU64(text);
    const small = value !== undefined && value <= BigInt(Number.MAX_SAFE_INTEGER);
    body[member.slice(0, at)] = small ? Number(value) : value === undefined ? text : hex64(value);
  }
  if (kind === 'x86-processor' || kind === 'arm-processor') {
    body['errors'] = [];
    body['contexts'] = [];
  }
  return bodyFromJson(body);
}

function encodeSectionOf(kind: string, words: readonly string[], options: EncodeOptions): void {
  const severity = CPER_SEVERITIES.find((s): s is CperSeverity => s === (options.severity ?? 'recoverable'));
  if (severity === undefined) {
    throw new UsageError('E_USAGE', `--severity ${options.severity}: expected ${CPER_SEVERITIES.join(', ')}`);
  }
  const body = bodyOf(kind, words, options.addr);
  const bytes = options.record
    ? encodeCperRecord(makeCperRecord(severity, [{ body }]))
    : encodeGhesBlock({ severity, sections: [{ body }] });
  if (options.out !== undefined) {
    try {
      writeFileSync(options.out, bytes);
    } catch (error) {
      throw new InputError('E_OUTPUT', `cannot write ${options.out}: ${messageOf(error)}`, { cause: error });
    }
    return;
  }
  const base64 = btoa(String.fromCharCode(...bytes));
  if (options.json) {
    printJson({ schemaVersion: 1, kind: 'cper', severity, bytes: bytes.length, hex: bytesToHex(bytes), base64 });
    return;
  }
  print(options.base64 ? base64 : bytesToHex(bytes));
  if (!options.record && bytes.length > QEMU_GHES_MAX_BYTES) {
    process.stderr.write(`QEMU takes at most ${QEMU_GHES_MAX_BYTES} bytes, this has ${bytes.length}\n`);
  }
}

/** Builds a record and prints its register values, the QEMU command, or its bytes. */
export function encode(words: readonly string[], options: EncodeOptions): void {
  if (options.list || words.length === 0) {
    list();
    return;
  }
  const first = words[0] ?? '';
  const esr = namedEsr(first);
  if (esr !== undefined) {
    if (options.json) printJson({ schemaVersion: 1, kind: 'arm-sea', esr: esr.esr, el: esr.el });
    else
      print(
        `ESR_EL${esr.el}  ${hex64(esr.esr)}  ${esr.text}\ndecode   syndrome decode esr_el${esr.el}=${hex64(esr.esr)}`,
      );
    return;
  }
  if (sectionOfKind(first) !== undefined) encodeSectionOf(first, words.slice(1), options);
  else encodeMca(words, options);
}

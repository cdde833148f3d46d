/** @module A decoded record as text: at most 100 columns, readable in a mail; untrusted text is made safe. */
import { hex64 } from '../common/hex.ts';
import { safeText } from '../common/screen.ts';
import { CperError } from '../cper/error.ts';
import { bytesToHex } from '../cper/layout.ts';
import { encodeCper } from '../cper/region.ts';
import { bitStrip } from './bit-strip.ts';
import type { DecodedAddress, DecodedField, DecodedRecord } from './record.ts';
import { labelled, wrap } from './wrap.ts';

/** Untrusted text for one place of a line: a tab there would move what follows. */
const oneLine = (text: string, maxLength: number): string => safeText(text.replaceAll('\t', ' '), maxLength);

/** Emphasis of the parts of a text; the default is none. */
export type TextStyle = (part: 'headline' | 'dim' | 'error' | 'warning', text: string) => string;

export interface TextOptions {
  /** All fields of all registers, not only those that are set. */
  table?: boolean;
  /** What Linux, Xen, QEMU and KVM will do. Default true. */
  outlook?: boolean;
  style?: TextStyle;
}

const PLAIN: TextStyle = (_part, text) => text;
/** Register member → its name in the manuals. */
const REGISTER: Readonly<Record<string, string>> = {
  status: 'MCi_STATUS',
  mcgStatus: 'MCG_STATUS',
  mcgCap: 'MCG_CAP',
  addr: 'MCi_ADDR',
  misc: 'MCi_MISC',
  synd: 'MCA_SYND',
  synd1: 'MCA_SYND1',
  synd2: 'MCA_SYND2',
  ipid: 'MCA_IPID',
  config: 'MCA_CONFIG',
  destat: 'MCA_DESTAT',
  deaddr: 'MCA_DEADDR',
  ppin: 'PPIN',
  tsc: 'TSC',
  cpuid: 'CPUID',
  apicId: 'APIC id',
  microcode: 'microcode',
  rip: 'RIP',
  cs: 'CS',
  esr: 'ESR',
  far: 'FAR',
  hpfar: 'HPFAR_EL2',
  pfar: 'PFAR',
  elr: 'ELR',
};

function registerName(name: string): string {
  return REGISTER[name] ?? name;
}

/** `input:3-6`, or the byte range. */
export function whereFrom({ source }: DecodedRecord): string {
  const input = oneLine(source.input, 200);
  if (source.firstLine !== undefined && source.lastLine !== undefined) {
    const lines =
      source.firstLine === source.lastLine ? `${source.firstLine}` : `${source.firstLine}-${source.lastLine}`;
    return `${input}:${lines} (${source.from})`;
  }
  return source.firstByte === undefined
    ? input
    : `${input} bytes ${source.firstByte}-${source.endByte ?? ''} (${source.from})`;
}

function addressText(address: DecodedAddress): string {
  const space = address.space === 'unknown' ? 'not known to be a system physical address' : address.space;
  const parts = [`${hex64(address.value)} (${space}`];
  if (address.pfn !== undefined) parts.push(`, page frame 0x${address.pfn.toString(16)}`);
  if (address.lsb !== undefined) parts.push(`, ${size(address.lsb)}`);
  return `${parts.join('')})`;
}

/** 2^lsb bytes in words. */
function size(lsb: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
  return `${2 ** (lsb % 10)} ${units[Math.floor(lsb / 10)] ?? ''}`;
}

function valueText(field: DecodedField): string {
  const { value, hi, lo } = field;
  if (typeof value !== 'bigint') return oneLine(String(value), 60);
  if (hi !== undefined && hi === lo) return value.toString();
  return hi === undefined ? hex64(value) : `0x${value.toString(16)}`;
}

function fieldLine(field: DecodedField, letter: string | undefined): string[] {
  const range = field.hi === undefined ? '' : field.hi === field.lo ? `${field.hi}` : `${field.hi}:${field.lo}`;
  const head = `    ${(letter ?? '').padEnd(2)}${range.padEnd(7)}${field.name.padEnd(16)} ${valueText(field)}`;
  const meaning = field.meaning ?? '';
  if (meaning === '') return [head];
  const column = 44;
  if (head.length >= column) return [head, ...wrap(meaning, ' '.repeat(column))];
  const lines = wrap(meaning, ' '.repeat(column));
  return [head.padEnd(column) + (lines[0] ?? '').trimStart(), ...lines.slice(1)];
}

function registers(record: DecodedRecord, table: boolean, style: TextStyle): string[] {
  const out: string[] = [];
  const names = [...new Set([...Object.keys(record.registers), ...record.fields.map(f => f.register)])];
  for (const name of names) {
    const fields = record.fields.filter(f => f.register === name);
    const value = record.registers[name];
    if (value !== undefined && !(fields.length === 0 && record.kind === 'event')) {
      out.push(`  ${registerName(name).padEnd(13)}${hex64(value)}`);
    } else if (fields.length > 0) out.push(`  ${oneLine(name, 40)}`);
    if (fields.length === 0) continue;
    let letters: ReadonlyMap<DecodedField, string> = new Map();
    const strip = value !== undefined && fields.some(f => f.hi !== undefined) ? bitStrip(value, fields) : undefined;
    if (strip !== undefined) {
      letters = strip.letters;
      for (const line of strip.lines) out.push(style('dim', `    ${line}`));
    }
    for (const field of fields) {
      if (!table && field.hi !== undefined && field.value === 0n) continue;
      out.push(...fieldLine(field, letters.get(field)));
    }
  }
  return out;
}

/** The record in lines without line ends. */
export function toText(record: DecodedRecord, options: TextOptions = {}): string[] {
  const style = options.style ?? PLAIN;
  const out: string[] = [];
  for (const line of wrap(oneLine(record.headline, 500))) out.push(style('headline', line));
  out.push(style('dim', `  ${whereFrom(record)}`));
  out.push(...labelled('severity', record.severity));
  if (record.mcacod !== undefined && record.mcacod.class !== 'no-error') {
    out.push(
      ...labelled('error code', `0x${record.mcacod.value.toString(16).padStart(4, '0')} ${record.mcacod.mnemonic}`),
    );
  }
  if (record.address !== undefined) out.push(...labelled('address', addressText(record.address)));
  const where = record.component;
  if (where !== undefined && where.area !== 'unknown') {
    out.push(
      ...labelled(
        'component',
        oneLine(where.detail === undefined ? where.name : `${where.name}: ${where.detail}`, 400),
      ),
    );
  }
  out.push('', ...wrap(oneLine(record.explanation, 2000), '  '));
  const rows = registers(record, options.table === true, style);
  if (rows.length > 0) out.push('', ...rows);
  if (record.lint.length > 0) {
    out.push('');
    for (const l of record.lint) {
      const section = l.section === undefined ? '' : ` [${l.section}]`;
      const part = l.severity === 'info' ? 'dim' : l.severity;
      out.push(
        ...labelled(`lint ${l.severity}`, oneLine(`${l.code}: ${l.message}${section}`, 1000), 14).map(t =>
          style(part, t),
        ),
      );
    }
  }
  for (const d of record.diagnostics) out.push(...labelled('input', oneLine(`${d.code}: ${d.message}`, 1000)));
  out.push('', ...labelled('next step', record.nextStep));
  for (const o of options.outlook === false ? [] : record.outlook) {
    const depends = o.dependsOn.length === 0 ? '' : ` Depends on: ${o.dependsOn.join(', ')}.`;
    const context = Object.values(o.context).join(', ');
    const who = context === '' ? o.consumer : `${o.consumer} (${context})`;
    out.push(...labelled('outlook', `${who}: ${o.outcome}. ${o.rule.text}${depends}`));
  }
  return out;
}

/** The bytes of a firmware record in hex; undefined when its members do not make one. */
function cperHex(record: DecodedRecord): string | undefined {
  if (record.raw.kind !== 'cper') return undefined;
  try {
    return bytesToHex(encodeCper(record.raw));
  } catch (error) {
    if (error instanceof CperError) return undefined;
    throw error;
  }
}

/** The raw values on one line, as `syndrome decode` takes them back: registers by name, firmware records in hex. */
export function toRaw(record: DecodedRecord): string {
  const hex = cperHex(record);
  if (hex !== undefined) return hex;
  const parts = Object.entries(record.registers).map(([name, value]) => `${name}=${hex64(value)}`);
  if (record.cpu !== undefined) parts.unshift(`cpu=${record.cpu}`);
  if (record.bank !== undefined) parts.push(`bank=${record.bank}`);
  if (record.kind === 'x86-mca' && 'vendor' in record.raw && record.raw.vendor !== undefined) {
    parts.push(`vendor=${record.raw.vendor}`);
  }
  return parts.length === 0 ? oneLine(record.headline, 1000) : parts.join(' ');
}

import { classifyArm } from '@syndrome/decode/arm/classify.ts';
import { NAMED_ESR, namedEsr } from '@syndrome/decode/arm/encode.ts';
import { encodeArmSea, kvmExitOf } from '@syndrome/decode/arm/kvm.ts';
import type { ArmSeaRecord } from '@syndrome/decode/arm/record.ts';
import { esrOfWords } from '@syndrome/decode/arm/words.ts';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { bytesToHex } from '@syndrome/decode/cper/layout.ts';
import { type EncodeOptions, refuse, u64 } from './encode-options.ts';
import { print, printJson } from './output.ts';

const MEMBERS = ['far', 'hpfar', 'pfar', 'flags', 'gva', 'gpa', 'elr'] as const;

/** Prints a syndrome with its addresses; what KVM gives a VMM also as the bytes of the exit. */
export function printArm(record: ArmSeaRecord, options: EncodeOptions, text?: string): void {
  const { esr, el } = record;
  const exit = record.flags === undefined ? undefined : bytesToHex(encodeArmSea(record));
  if (options.json) {
    printJson({ schemaVersion: 1, ...record, ...(exit === undefined ? {} : { exit }) });
    return;
  }
  const name = el === undefined ? 'ESR' : `ESR_EL${el}`;
  print(`${name.padEnd(8)} ${hex64(esr)}${text === undefined ? '' : `  ${text}`}`);
  const values = [`${name.toLowerCase()}=${hex64(esr)}`];
  for (const member of MEMBERS) {
    const value = record[member];
    if (value === undefined) continue;
    print(`${member.toUpperCase().padEnd(8)} ${hex64(value)}`);
    values.push(`${member}=${hex64(value)}`);
  }
  if (exit !== undefined) print(`arm_sea  ${exit}`);
  print(`decode   syndrome decode ${values.join(' ')}`);
}

/** A named syndrome, or one described by words; false when the words describe none. */
export function encodeArm(words: readonly string[], options: EncodeOptions): boolean {
  const named = namedEsr(words.join('-'));
  if (named === undefined && namedEsr(words[0] ?? '') !== undefined) {
    throw new UsageError('E_USAGE', `${words[1]}: a named syndrome takes no words`, {
      hint: 'Describe it whole: syndrome encode sea write el0.',
    });
  }
  const made = named ?? esrOfWords(words);
  if (made === undefined) return false;
  refuse(options, 'a syndrome', [
    'misc',
    'synd',
    'ipid',
    'vendor',
    'bank',
    'broadcast',
    'severity',
    'record',
    'base64',
    'out',
  ]);
  const record: ArmSeaRecord = { kind: 'arm-sea', esr: made.esr, el: made.el };
  const addr = options.addr === undefined ? undefined : u64('--addr', options.addr);
  if (addr !== undefined) {
    if (classifyArm(record).class === 'serror') throw new UsageError('E_USAGE', '--addr: an SError has no address');
    record.far = addr;
  }
  if (options.gpa !== undefined) {
    const ipa = u64('--gpa', options.gpa);
    if (made.el !== 2) {
      throw new UsageError('E_USAGE', '--gpa: KVM exits only with what was taken to EL2', {
        hint: 'Say whose access it is: syndrome encode sea guest --gpa ….',
      });
    }
    Object.assign(record, kvmExitOf({ esr: made.esr, ipa, ...(addr === undefined ? {} : { far: addr }) }));
    delete record.far;
  }
  printArm(record, options, named?.text);
  return true;
}

/** Lists the names. */
export function listArm(): void {
  for (const n of NAMED_ESR) print(`  ${n.name.padEnd(18)}EL${n.el}    ${hex64(n.esr)}  ${n.text}`);
}

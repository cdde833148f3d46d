import { UsageError } from '@syndrome/decode/common/errors.ts';
import { hex64, parseU64 } from '@syndrome/decode/common/hex.ts';
import { CPER_SEVERITIES, encodeGhesBlock } from '@syndrome/decode/cper/ghes.ts';
import { bodyFromJson } from '@syndrome/decode/cper/json.ts';
import type { CperBody, CperSeverity } from '@syndrome/decode/cper/record.ts';
import { SECTIONS } from '@syndrome/decode/cper/sections.ts';
import { GHES_MAX_BYTES } from '@syndrome/decode/inject/ghes-command.ts';
import { encodeCperRecord, makeCperRecord } from '@syndrome/decode/cper/uefi-record.ts';
import { type EncodeOptions, putBytes, refuse, u64 } from './encode-options.ts';
import { print, say } from './output.ts';

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

/** `--severity`, recoverable unless given. */
function severityOf(options: EncodeOptions): CperSeverity {
  const severity = CPER_SEVERITIES.find((s): s is CperSeverity => s === (options.severity ?? 'recoverable'));
  if (severity !== undefined) return severity;
  throw new UsageError('E_USAGE', `--severity ${options.severity}: expected ${CPER_SEVERITIES.join(', ')}`);
}

/** One section body as a status block, or with `--record` as an error record. */
export function encodeBody(body: CperBody, options: EncodeOptions): Uint8Array {
  const severity = severityOf(options);
  return options.record
    ? encodeCperRecord(makeCperRecord(severity, [{ body }]))
    : encodeGhesBlock({ severity, sections: [{ body }] });
}

/** A section of this kind with the members given. */
export async function encodeSectionOf(kind: string, words: readonly string[], options: EncodeOptions): Promise<void> {
  refuse(options, 'a section', ['misc', 'synd', 'ipid', 'gpa', 'cpu', 'bank', 'vendor', 'broadcast']);
  const bytes = encodeBody(bodyOf(kind, words, options.addr), options);
  await putBytes(bytes, { kind: 'cper', severity: severityOf(options) }, options);
  if (options.out === undefined && !options.json && !options.record && bytes.length > GHES_MAX_BYTES) {
    say(`QEMU takes at most ${GHES_MAX_BYTES} bytes, this has ${bytes.length}`);
  }
}

/** Lists the kinds. */
export function listSections(): void {
  for (const s of SECTIONS) print(`  ${s.kind.padEnd(18)}${s.name}`);
}

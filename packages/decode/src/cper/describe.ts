/** @module The members of a section as rows: for tables on a screen. */
import { hex64 } from '../common/hex.ts';
import { ARM_CONTEXT_LAYOUT, ARM_ERROR_LAYOUT, ARM_LAYOUT, armErrorTypeNames } from './arm.ts';
import { ARM_ERROR_FLAGS, flagWords } from './flags.ts';
import { FLAT_LAYOUTS } from './flat-layouts.ts';
import { bytesToHex, describeLayout } from './layout.ts';
import type { Layout, MemberRow } from './layout.ts';
import { armContextRegisters, x86ContextRegisters } from './context-registers.ts';
import type { CperBody, CperTabled } from './record.ts';
import { cpuidRegisters } from './cpuid.ts';
import { registersOfPcie } from './pcie-words.ts';
import { rowsOf } from './tabled.ts';
import type { NamedRegister } from './tabled.ts';
import { isTabled, tableOf } from './tables.ts';
import { X86_CHECKS, X86_CONTEXT_LAYOUT, X86_ERROR_LAYOUT, X86_LAYOUT } from './x86.ts';

const prefixed = (prefix: string, rows: readonly MemberRow[]): MemberRow[] =>
  rows.map(r => ({ ...r, name: `${prefix}.${r.name}` }));

/** Registers as rows. */
const named = (prefix: string, registers: readonly NamedRegister[]): MemberRow[] =>
  registers.map(({ name, value }) => ({ name: `${prefix}${name}`, value: hex64(value) }));

const raw = (name: string, data: Uint8Array | undefined): MemberRow[] =>
  data === undefined ? [] : [{ name, value: bytesToHex(data), meaning: `${data.length} bytes` }];

/** A context: its registers by name, or its bytes where they have none. */
const context = (
  prefix: string,
  head: readonly MemberRow[],
  registers: readonly NamedRegister[],
  data: Uint8Array,
): MemberRow[] => [
  ...prefixed(prefix, head),
  ...named(`${prefix}.`, registers),
  ...(registers.length === 0 ? raw(`${prefix}.data`, data) : []),
];

function tabled(body: CperTabled, layout: Layout | undefined): MemberRow[] {
  const { rows, registers } = tableOf(body) ?? {};
  const all = registers?.(body) ?? [];
  const known = Math.max(0, ...all.map(r => r.end ?? 0));
  const rest = body.trailing?.subarray(known);
  return [
    ...(layout === undefined ? [] : describeLayout(layout, body)),
    ...(rows === undefined
      ? []
      : rowsOf(body, rows.member).flatMap((r, i) => prefixed(`${rows.member}[${i}]`, describeLayout(rows.layout, r)))),
    ...named(
      '',
      all.filter(r => r.isMember !== true),
    ),
    // What the registers hold is shown once.
    ...(rest === undefined || rest.length === 0 ? [] : raw('trailing', rest)),
  ];
}

/**
 * Every member of a section that is there, structures taken apart; untrusted text is printable ASCII. What is in the bits of
 * one is said by {@link describeCper}.
 */
export function describeSection(body: CperBody): MemberRow[] {
  switch (body.kind) {
    case 'raw':
      return raw('data', body.data);
    case 'x86-processor':
      return [
        ...describeLayout(X86_LAYOUT, body),
        ...named('', cpuidRegisters(body.cpuid)),
        ...body.errors.flatMap((e, i) =>
          prefixed(`errors[${i}]`, describeLayout(X86_ERROR_LAYOUT, e)).map(r =>
            r.name === `errors[${i}].type`
              ? { ...r, meaning: X86_CHECKS[e.type ?? '']?.name ?? 'unknown kind of check' }
              : r,
          ),
        ),
        ...body.contexts.flatMap((c, i) =>
          context(`contexts[${i}]`, describeLayout(X86_CONTEXT_LAYOUT, c), x86ContextRegisters(c), c.data),
        ),
        ...raw('trailing', body.trailing),
      ];
    case 'arm-processor':
      return [
        ...describeLayout(ARM_LAYOUT, body),
        ...body.errors.flatMap((e, i) =>
          prefixed(`errors[${i}]`, describeLayout(ARM_ERROR_LAYOUT, e)).map(r => {
            if (r.name === `errors[${i}].type`) {
              return { ...r, meaning: armErrorTypeNames(e.type ?? 0, e.version).join(', ') || 'reserved' };
            }
            if (r.name !== `errors[${i}].flags`) return r;
            return { ...r, meaning: flagWords(ARM_ERROR_FLAGS, e.flags).join(', ') || 'none' };
          }),
        ),
        ...body.contexts.flatMap((c, i) =>
          context(`contexts[${i}]`, describeLayout(ARM_CONTEXT_LAYOUT, c), armContextRegisters(c), c.data),
        ),
        ...raw('vendorInfo', body.vendorInfo),
        ...raw('trailing', body.trailing),
      ];
    default: {
      const layout = FLAT_LAYOUTS[body.kind];
      if (isTabled(body)) return tabled(body, layout);
      return [
        ...(layout === undefined ? [] : describeLayout(layout, body)),
        ...(body.kind === 'pcie' ? named('', registersOfPcie(body)) : []),
        ...(body.kind === 'memory' && body.dimmLocation !== undefined
          ? [
              {
                name: 'dimmLocation',
                value: body.dimmLocation,
                meaning: 'what SMBIOS calls the module, as Linux printed it',
              },
            ]
          : []),
      ];
    }
  }
}

/** @module The members of a section as rows: for tables on a screen. */
import { ARM_CONTEXT_LAYOUT, ARM_ERROR_LAYOUT, ARM_LAYOUT, armErrorTypeNames } from './arm.ts';
import { ARM_ERROR_FLAGS, flagWords } from './flags.ts';
import { FLAT_LAYOUTS } from './flat-layouts.ts';
import { bytesToHex, describeLayout } from './layout.ts';
import type { MemberRow } from './layout.ts';
import type { CperArmContext, CperBody } from './record.ts';
import { X86_CHECKS, X86_CONTEXT_LAYOUT, X86_ERROR_LAYOUT, X86_LAYOUT } from './x86.ts';

/** Registers of an AArch64 context in order, UEFI 2.10 N.2.4.4.2; the AArch32 ones are shown as bytes. */
const ARM64_REGISTERS: Readonly<Record<number, readonly string[]>> = {
  4: [...Array.from({ length: 31 }, (_, i) => `X${i}`), 'SP'],
  5: 'ELR_EL1 ESR_EL1 FAR_EL1 ISR_EL1 MAIR_EL1 MIDR_EL1 MPIDR_EL1 SCTLR_EL1 SP_EL0 SP_EL1 SPSR_EL1 TCR_EL1 TPIDR_EL0 TPIDR_EL1 TPIDRRO_EL0 TTBR0_EL1 TTBR1_EL1'.split(
    ' ',
  ),
  6: 'ELR_EL2 ESR_EL2 FAR_EL2 HACR_EL2 HCR_EL2 HPFAR_EL2 MAIR_EL2 SCTLR_EL2 SP_EL2 SPSR_EL2 TCR_EL2 TPIDR_EL2 TTBR0_EL2 VTCR_EL2 VTTBR_EL2'.split(
    ' ',
  ),
  7: 'ELR_EL3 ESR_EL3 FAR_EL3 MAIR_EL3 SCTLR_EL3 SP_EL3 SPSR_EL3 TCR_EL3 TPIDR_EL3 TTBR0_EL3'.split(' '),
};

/** The 64-bit registers of an AArch64 context by name; empty for other contexts. */
export function armContextRegisters(context: CperArmContext): { name: string; value: bigint }[] {
  const names = ARM64_REGISTERS[context.type ?? -1] ?? [];
  const view = new DataView(context.data.buffer, context.data.byteOffset, context.data.byteLength);
  return names
    .filter((_, i) => 8 * i + 8 <= context.data.length)
    .map((name, i) => ({ name, value: view.getBigUint64(8 * i, true) }));
}

const prefixed = (prefix: string, rows: readonly MemberRow[]): MemberRow[] =>
  rows.map(r => ({ ...r, name: `${prefix}.${r.name}` }));

const raw = (name: string, data: Uint8Array | undefined): MemberRow[] =>
  data === undefined ? [] : [{ name, value: bytesToHex(data), meaning: `${data.length} bytes` }];

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
        ...body.errors.flatMap((e, i) =>
          prefixed(`errors[${i}]`, describeLayout(X86_ERROR_LAYOUT, e)).map(r =>
            r.name === `errors[${i}].type`
              ? { ...r, meaning: X86_CHECKS[e.type ?? '']?.name ?? 'unknown kind of check' }
              : r,
          ),
        ),
        ...body.contexts.flatMap((c, i) => [
          ...prefixed(`contexts[${i}]`, describeLayout(X86_CONTEXT_LAYOUT, c)),
          ...raw(`contexts[${i}].data`, c.data),
        ]),
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
        ...body.contexts.flatMap((c, i) => {
          const registers = armContextRegisters(c);
          return [
            ...prefixed(`contexts[${i}]`, describeLayout(ARM_CONTEXT_LAYOUT, c)),
            ...registers.map(r => ({
              name: `contexts[${i}].${r.name}`,
              value: `0x${r.value.toString(16).padStart(16, '0')}`,
            })),
            ...(registers.length === 0 ? raw(`contexts[${i}].data`, c.data) : []),
          ];
        }),
        ...raw('vendorInfo', body.vendorInfo),
        ...raw('trailing', body.trailing),
      ];
    default: {
      const layout = FLAT_LAYOUTS[body.kind];
      return [
        ...(layout === undefined ? [] : describeLayout(layout, body)),
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

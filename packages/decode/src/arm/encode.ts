/** @module Syndromes made from fields, and the ones that are met in practice by name. */
import { ArmError } from './errors.ts';
import { ESR, ISS_DATA_ABORT, syndromeTables } from './esr.ts';
import { exceptionClassByName } from './exception-class.ts';
import { SEA } from './fault-status.ts';
import { KVM_ABORT, QEMU_ABORT } from './vmm-made.ts';

/** Fields of an ESR: the class by number or short name, the fields of its ISS and ISS2 by name. IL is set unless said. */
interface EsrFields {
  ec: number | string;
  il?: boolean;
  /** Fields of the ISS table of the class (see syndromeTables), or the 25 bits as a bigint. */
  iss?: bigint | Readonly<Record<string, bigint | boolean>>;
  /** Fields of the ISS2 table of the class, or the 24 bits as a bigint. */
  iss2?: bigint | Readonly<Record<string, bigint | boolean>>;
}

/**
 * The register value. Throws {@link ArmError} for an unknown class and RegisterError for a field that does not fit.
 *
 * @example
 * encodeEsr({ ec: 'DABT_LOW', iss: { DFSC: 0x10n } }) // 0x92000010n
 */
export function encodeEsr(fields: EsrFields): bigint {
  const ec = typeof fields.ec === 'number' ? fields.ec : exceptionClassByName(fields.ec)?.value;
  if (ec === undefined) {
    throw new ArmError('E_ARM_CLASS', `no exception class ${String(fields.ec)}`, {
      hint: 'Use a number from 0 to 63 or a short name such as DABT_LOW, DABT_CUR, IABT_LOW, IABT_CUR or SERROR.',
    });
  }
  const { iss = 0n, iss2 = 0n } = fields;
  // ISV and IDS stand in the same bit and decide which table the other fields are from.
  const top = typeof iss === 'bigint' ? false : iss['ISV'] === true || iss['IDS'] === true;
  const tables = syndromeTables(ESR.encode({ EC: BigInt(ec), ISS: top ? ISS_DATA_ABORT.masks.ISV : 0n }));
  return ESR.encode({
    EC: BigInt(ec),
    IL: fields.il ?? true,
    ISS: typeof iss === 'bigint' ? iss : tables.iss.encode(iss as never),
    ISS2: typeof iss2 === 'bigint' ? iss2 : tables.iss2.encode(iss2 as never),
  });
}

interface NamedEsr {
  name: string;
  esr: bigint;
  /** The level whose ESR it is. */
  el: 1 | 2;
  text: string;
}

const row = (name: string, el: 1 | 2, text: string, esr: bigint | EsrFields): NamedEsr => ({
  name,
  el,
  text,
  esr: typeof esr === 'bigint' ? esr : encodeEsr(esr),
});

/** Syndromes that KVM, QEMU and real CPUs produce for a memory error. */
export const NAMED_ESR: readonly NamedEsr[] = [
  row('kvm-data-el0', 1, 'what KVM injects with ext_dabt_pending, access from EL0', KVM_ABORT.user),
  row('kvm-data-el1', 1, 'what KVM injects with ext_dabt_pending, access from EL1', KVM_ABORT.kernel),
  row('qemu-sea-el0', 1, 'what QEMU injects after a SIGBUS, access from EL0', QEMU_ABORT.user),
  row('qemu-sea-el1', 1, 'what QEMU injects after a SIGBUS, access from EL1', QEMU_ABORT.kernel),
  row('guest-ifetch-el0', 1, 'an instruction fetched from bad memory at EL0', { ec: 'IABT_LOW', iss: { IFSC: SEA } }),
  row('guest-ifetch-el1', 1, 'an instruction fetched from bad memory at EL1', { ec: 'IABT_CUR', iss: { IFSC: SEA } }),
  row('host-data-uer', 2, 'a guest loads bad data, state recoverable', { ec: 'DABT_LOW', iss: { SET: 0n, DFSC: SEA } }),
  row('host-data-ueo', 2, 'a guest loads bad data, state restartable', { ec: 'DABT_LOW', iss: { SET: 3n, DFSC: SEA } }),
  row('host-data-uc', 2, 'a guest loads bad data, state uncontainable', {
    ec: 'DABT_LOW',
    iss: { SET: 2n, DFSC: SEA },
  }),
  row('host-stage2-walk', 2, 'the stage 2 walk for a guest meets bad memory, level 3', {
    ec: 'DABT_LOW',
    iss: { DFSC: 0x17n },
  }),
  row('serror-uc', 1, 'SError, uncontainable', { ec: 'SERROR', iss: { AET: 0n, DFSC: 0x11n } }),
  row('serror-ueu', 1, 'SError, unrecoverable', { ec: 'SERROR', iss: { AET: 1n, DFSC: 0x11n } }),
  row('serror-ueo', 1, 'SError, restartable', { ec: 'SERROR', iss: { AET: 2n, DFSC: 0x11n } }),
  row('serror-uer', 1, 'SError, recoverable', { ec: 'SERROR', iss: { AET: 3n, DFSC: 0x11n } }),
  row('serror-ce', 1, 'SError, corrected', { ec: 'SERROR', iss: { AET: 6n, DFSC: 0x11n } }),
];

/**
 * The named syndrome; undefined when there is none.
 *
 * @example
 * namedEsr('kvm-data-el0').esr // 0x92000010n
 */
export function namedEsr(name: string): NamedEsr | undefined {
  return NAMED_ESR.find(n => n.name === name);
}

/** @module Thermal events that Linux logs like machine checks: under a bank that no CPU has, with another register as the status. */
import { bit, bits, defineRegister } from '../registers/register.ts';
import type { X86McaRecord } from './record.ts';

/** MCE_THERMAL_BANK of mcelog, and of Linux while it logged them. */
const THERMAL_BANK = 128;

const IA32_THERM_STATUS = defineRegister({
  name: 'IA32_THERM_STATUS',
  width: 32,
  source: 'SDM vol. 3B, IA32_THERM_STATUS Register',
  fields: [
    bit(31, 'VALID', 'the readout is valid'),
    bits(22, 16, 'READOUT', 'degrees below the temperature at which it throttles'),
    bit(1, 'LOG', 'it was too hot since the log was cleared'),
    bit(0, 'HOT', 'it is too hot, and throttles'),
  ],
});

/** What a record says of the temperature of a processor; undefined of a machine check. */
export function thermalMessage({ bank, status, vendor }: X86McaRecord): string | undefined {
  if (bank !== THERMAL_BANK || vendor === 'amd' || status !== BigInt.asUintN(IA32_THERM_STATUS.width, status)) {
    return undefined;
  }
  const { HOT, VALID, READOUT } = IA32_THERM_STATUS.read(status);
  if (HOT) return 'above the trip temperature, throttling';
  return `below the trip temperature again${VALID ? `, ${READOUT} °C under it` : ''}`;
}

/** @module What the registers in a PCIe section say: AER, the status of the device and of a bridge behind it. */
import {
  AER_CORRECTABLE_STATUS,
  AER_UNCORRECTABLE_STATUS,
  aerRegisters,
  DEVICE_STATUS,
  PCI_SECONDARY_STATUS,
  PCI_STATUS,
  pcieRegisters,
  BRIDGE_CONTROL,
} from './aer.ts';
import type { CperPcieError } from './record.ts';
import { hex, meaningsOf } from './tabled.ts';
import type { NamedRegister } from './tabled.ts';

/** Every register of the section by its name. */
export function registersOfPcie(body: CperPcieError): NamedRegister[] {
  const of = (name: string, value: number | undefined, table?: NamedRegister['table']): NamedRegister[] =>
    value === undefined ? [] : [{ name, value: BigInt(value), ...(table === undefined ? {} : { table }) }];
  return [
    ...of('COMMAND', body.command),
    ...of('STATUS', body.status, PCI_STATUS),
    ...of('SECONDARY_STATUS', body.bridgeSecondaryStatus, PCI_SECONDARY_STATUS),
    ...of('BRIDGE_CONTROL', body.bridgeControl, BRIDGE_CONTROL),
    ...pcieRegisters(body.capability),
    ...aerRegisters(body.aer, body.portType),
  ];
}

/** Which errors AER recorded, the first of them, and the header of its packet. */
export function aerWords(body: CperPcieError): string[] {
  const registers = new Map(aerRegisters(body.aer, body.portType).map(r => [r.name, r.value]));
  const value = (name: string): bigint => registers.get(name) ?? 0n;
  const uncorrectable = meaningsOf(AER_UNCORRECTABLE_STATUS, value('UNCORRECTABLE_ERROR_STATUS'));
  const correctable = meaningsOf(AER_CORRECTABLE_STATUS, value('CORRECTABLE_ERROR_STATUS'));
  const log = [0, 1, 2, 3].map(i => value(`HEADER_LOG_${i}`));
  const device = new Map(pcieRegisters(body.capability).map(r => [r.name, r.value]));
  const detected = meaningsOf(DEVICE_STATUS, device.get('DEVICE_STATUS') ?? 0n).filter(m => m.endsWith('detected'));
  const bridge = meaningsOf(PCI_SECONDARY_STATUS, BigInt(body.bridgeSecondaryStatus ?? 0));
  return [
    ...(uncorrectable.length === 0 ? [] : [`Uncorrectable errors: ${uncorrectable.join(', ')}.`]),
    ...(correctable.length === 0 ? [] : [`Corrected errors: ${correctable.join(', ')}.`]),
    ...(uncorrectable.length > 0 && log.some(word => word !== 0n)
      ? [`Header of the packet: ${log.map(word => hex(word)).join(' ')}.`]
      : []),
    ...(detected.length === 0 ? [] : [`Device status: ${detected.join(', ')}.`]),
    ...(bridge.length === 0 ? [] : [`Behind the bridge: ${bridge.join(', ')}.`]),
  ];
}

/** @module The name of a PCI function, as Linux and lspci write it. Source: PCI Firmware Specification 3.3, 4.1.2 (segment groups). */

/** Where a function stands in the tree of PCI; a member that nobody says is undefined. */
interface PciPlace {
  segment?: number | undefined;
  bus?: number | undefined;
  device?: number | undefined;
  function?: number | undefined;
}

/**
 * The name of a function as Linux and lspci write it; undefined where the bus is not said.
 * @example pcieDeviceOf({ segment: 5, bus: 1, device: 0, function: 0 }) // '0005:01:00.0'
 */
export function pcieDeviceOf({ segment = 0, bus, device = 0, function: of = 0 }: PciPlace): string | undefined {
  if (bus === undefined) return undefined;
  const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, '0');
  return `${hex(segment, 4)}:${hex(bus, 2)}:${hex(device, 2)}.${hex(of, 1)}`;
}

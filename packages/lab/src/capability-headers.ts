/**
 * @module The headers by which the extended capabilities of a PCI Express function, and those of CXL.mem in its component
 * registers, are found. Sources: PCI Express Base Specification 6.0, 7.9.3 and 7.9.6; Compute Express Link 3.1, 8.1.9 and 8.2.4.
 */
import { bits, defineRegister } from '@syndrome/decode/registers/register.ts';

/** The first word of an extended capability. @example EXTENDED_CAPABILITY.read(0x14820001n).NEXT // 0x148n */
export const EXTENDED_CAPABILITY = defineRegister({
  name: 'PCI Express Extended Capability Header',
  width: 32,
  source: 'PCIe 6.0, 7.9.3',
  fields: [bits(31, 20, 'NEXT'), bits(19, 16, 'VERSION'), bits(15, 0, 'ID')],
});

/** The second word of a designated vendor-specific capability; LENGTH is in bytes, with all headers. */
export const DVSEC_HEADER_1 = defineRegister({
  name: 'Designated Vendor-Specific Header 1',
  width: 32,
  source: 'PCIe 6.0, 7.9.6.2',
  fields: [bits(31, 20, 'LENGTH'), bits(19, 16, 'REVISION'), bits(15, 0, 'VENDOR')],
});

/** The half word behind it. */
export const DVSEC_HEADER_2 = defineRegister({
  name: 'Designated Vendor-Specific Header 2',
  width: 16,
  source: 'PCIe 6.0, 7.9.6.3',
  fields: [bits(15, 0, 'ID')],
});

/** The lower word of an entry of the register locator; OFFSET counts 64 KiB from the start of the BAR. */
export const REGISTER_BLOCK = defineRegister({
  name: 'Register Offset Low',
  width: 32,
  source: 'CXL 3.1, 8.1.9.1',
  fields: [bits(31, 16, 'OFFSET'), bits(15, 8, 'BLOCK'), bits(2, 0, 'BAR')],
});

/** The first word of the capabilities of CXL.cache and CXL.mem: how many headers follow it. */
export const CXL_CAPABILITIES = defineRegister({
  name: 'CXL Capability Header',
  width: 32,
  source: 'CXL 3.1, 8.2.4.1',
  fields: [bits(31, 24, 'COUNT'), bits(23, 20, 'CACHE_MEM_VERSION'), bits(19, 16, 'VERSION'), bits(15, 0, 'ID')],
});

/** One of those headers; POINTER is in bytes from the first word. */
export const CXL_CAPABILITY = defineRegister({
  name: 'CXL Capability Header Entry',
  width: 32,
  source: 'CXL 3.1, 8.2.4.2',
  fields: [bits(31, 20, 'POINTER'), bits(19, 16, 'VERSION'), bits(15, 0, 'ID')],
});

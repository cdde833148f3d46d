/** @module The error status that several sections share, and that of platform memory error section 2. */
import { bit, bits, defineRegister } from '../registers/register.ts';

/** Error status of memory sections. */
export const CPER_ERROR_STATUS = defineRegister({
  name: 'ErrorStatus',
  width: 64,
  source: 'UEFI 2.10 appendix N, Error Status',
  fields: [
    bit(22, 'OVERFLOW', 'an error was lost'),
    bit(21, 'FIRST', 'the first error'),
    bit(20, 'REQUESTOR', 'found by the requestor'),
    bit(19, 'RESPONDER', 'found by the responder'),
    bit(18, 'DATA', 'on the data signals'),
    bit(17, 'CONTROL', 'on the control signals'),
    bit(16, 'ADDRESS', 'on the address signals'),
    bits(15, 8, 'TYPE', 'error type', {
      1: 'internal error',
      4: 'storage error in memory (DRAM)',
      5: 'storage error in a TLB',
      6: 'storage error in a cache',
      7: 'error in a functional unit',
      8: 'self-test failed',
      9: 'overflow or underflow of an internal queue',
      16: 'error on the bus',
      17: 'virtual address not found',
      18: 'improper access',
      19: 'access to an unimplemented address',
      20: 'loss of lockstep',
      21: 'response not associated with a request',
      22: 'bus parity error',
      23: 'protocol error',
      24: 'no such path',
      25: 'bus timeout',
      26: 'poisoned data was read',
    }),
  ],
});

/** Status of platform memory error section 2. */
export const MEMORY2_STATUS = defineRegister({
  name: 'Status',
  width: 8,
  source: 'UEFI 2.10 N.2.6',
  fields: [bit(0, 'UNCORRECTED', 'not corrected')],
});

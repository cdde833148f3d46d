/** @module What Linux tells of CXL memory devices: trace events of its driver, also by way of rasdaemon. */
import { row } from './row.ts';

const CXL_FIELDS =
  'event:string memdev:string host?:string log?:string message:string addr?:address dpa?:bigint channel?:number rank?:number device?:number bankGroup?:number bankAddress?:number row?:number column?:number';
const CXL_TEXT = 'An event of a CXL memory device, as trace event or from rasdaemon.';
const CXL_ADDRESS =
  'dpa is an address within the device; only hpa, where it is there, is one of the machine. The text is that of the kernel (CXL 3.1, 8.2.9.2.1).';

/** Names without a layer. */
export const CXL = {
  'cxl-uncorrected': row(CXL_FIELDS, CXL_TEXT, {
    severity: 'uncorrected',
    record: {
      reporter: 'device',
      headline: 'CXL memory: uncorrected error',
      explanation: `Data in the memory of the device was lost. ${CXL_ADDRESS}`,
      next: 'Look which region and which page of the machine it is (hpa, region), and replace the device when it goes on.',
    },
  }),
  'cxl-corrected': row(CXL_FIELDS, CXL_TEXT, {
    severity: 'corrected',
    record: {
      reporter: 'device',
      headline: 'CXL memory: corrected error, or a threshold of them',
      explanation: `The device repaired it. ${CXL_ADDRESS}`,
      next: 'Count them by place in the device; many from one mean that it wears out.',
    },
  }),
  'cxl-info': row(CXL_FIELDS, CXL_TEXT, {
    severity: 'info',
    record: {
      reporter: 'device',
      headline: 'CXL memory: a word about the device',
      explanation: 'An event of the log of the device that is no error of one place in it.',
      next: 'Look at its health and media status.',
    },
  }),
};

/** @module What tools of Linux say of errors that no line of the kernel says: rasdaemon, ras-mc-ctl. */
import { row } from './row.ts';

/** Names without a layer. */
export const TOOLS = {
  'edac-deferred': row(
    'controller?:number count:number message:string addr?:address',
    'A memory controller driver of Linux reports a deferred error.',
    {
      severity: 'deferred',
      record: {
        headline: 'Memory controller driver: deferred error',
        explanation:
          'Bad data was found and nobody has used it yet. The text names the DIMM by the label of the board or by controller, channel and slot.',
        next: 'Look for the `Memory failure:` lines of the page: whoever reads it next consumes the error.',
      },
    },
  ),
  'edac-fatal': row(
    'controller?:number count:number message:string addr?:address',
    'A memory controller driver of Linux reports a fatal error.',
    {
      severity: 'fatal',
      record: {
        headline: 'Memory controller driver: fatal error',
        explanation:
          'Data was lost and the machine cannot go on. The text names the DIMM by the label of the board or by controller, channel and slot.',
        next: 'Replace the DIMM it names; look for the machine check or firmware record of the same moment.',
      },
    },
  ),
  'mc-event': row(
    'count?:number message:string addr?:address',
    'An event of a memory controller, of which rasdaemon does not name the severity.',
    {
      severity: 'unknown',
      record: {
        headline: 'Memory controller event of rasdaemon',
        explanation:
          'The text is that of the EDAC driver: its own words say whether the error was corrected, and where.',
        next: 'Look at the location it names; count how often it comes.',
      },
    },
  ),
  'arm-event': row(
    'affinity:number mpidr:register midr:register message:string addr?:address',
    'An error of an Arm processor, as rasdaemon sums it up.',
    {
      severity: 'unknown',
      record: {
        headline: 'Arm processor error of rasdaemon',
        explanation:
          'Firmware reported an error of a processor. MPIDR says which one, MIDR what it is. rasdaemon prints the error structures in lines of their own.',
        next: 'Look for the record in the kernel log (`section_type: ARM processor error`): it has severity, kind and address.',
      },
    },
  ),
};

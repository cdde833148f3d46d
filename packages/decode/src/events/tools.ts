/** @module What tools of Linux say of errors that no line of the kernel says: rasdaemon, ras-mc-ctl, mcelog. */
import { row } from './row.ts';

/** Names without a layer. */
export const TOOLS = {
  'edac-deferred': row(
    'controller?:number count:number message:string label?:string addr?:address total?:string',
    'A memory controller driver of Linux reports a deferred error.',
    {
      severity: 'deferred',
      record: {
        reporter: 'driver',
        headline: 'Memory controller driver: deferred error',
        explanation:
          'Bad data was found and nobody has used it yet. The text names the DIMM by the label of the board or by controller, channel and slot.',
        next: 'Look for the `Memory failure:` lines of the page: whoever reads it next consumes the error.',
      },
    },
  ),
  'edac-fatal': row(
    'controller?:number count:number message:string label?:string addr?:address total?:string',
    'A memory controller driver of Linux reports a fatal error.',
    {
      severity: 'fatal',
      record: {
        reporter: 'driver',
        headline: 'Memory controller driver: fatal error',
        explanation:
          'Data was lost and the machine cannot go on. The text names the DIMM by the label of the board or by controller, channel and slot.',
        next: 'Replace the DIMM it names; look for the machine check or firmware record of the same moment.',
      },
    },
  ),
  'mc-event': row(
    'count?:number message:string label?:string addr?:address total?:string',
    'An event of a memory controller, of which rasdaemon does not name the severity.',
    {
      severity: 'unknown',
      record: {
        reporter: 'driver',
        headline: 'Memory controller event of rasdaemon',
        explanation:
          'The text is that of the EDAC driver: its own words say whether the error was corrected, and where.',
        next: 'Look at the location it names; count how often it comes.',
      },
    },
  ),
  'arm-event': row(
    'affinity?:number mpidr:register midr?:register message:string addr?:address',
    'An error of an Arm processor, as a trace event or rasdaemon sums it up.',
    {
      severity: 'unknown',
      record: {
        reporter: 'firmware',
        headline: 'Arm processor error',
        explanation:
          'Firmware reported an error of a processor. MPIDR says which one, MIDR what it is. The error structures are not in this line.',
        next: 'Look for the record in the kernel log (`section_type: ARM processor error`): it has severity, kind and address.',
      },
    },
  ),
  'ras-summary': row(
    'what:string count:number message:string',
    'How many errors of a kind rasdaemon has counted, as ras-mc-ctl --summary says.',
    {
      severity: 'unknown',
      record: {
        reporter: 'kernel',
        headline: 'Count of rasdaemon',
        explanation: 'Of all that stands in the database of rasdaemon, without the time of any.',
        next: 'Ask `ras-mc-ctl --errors` for the records themselves: they have time, bank and address.',
      },
    },
  ),
  'ras-sigbus': row(
    'number:number code:string comm:string pid:number',
    'A process got SIGBUS for bad memory, as rasdaemon recorded it.',
    {
      severity: 'uncorrected',
      record: {
        reporter: 'kernel',
        headline: 'Process got SIGBUS for bad memory',
        explanation:
          'Linux told a process that memory of it is lost: BUS_MCEERR_AR where it had used the data, BUS_MCEERR_AO before that. The row has no address.',
        next: 'Look for the machine check or firmware record and the memory failure of the same moment: they have the page.',
      },
    },
  ),
  'ras-signal': row(
    'number:number code:string comm:string pid:number',
    'A process got a signal that is none of bad memory, as rasdaemon recorded it.',
    {
      record: {
        reporter: 'kernel',
        headline: 'Process got a signal',
        explanation: 'The signal, or its code, is not one that Linux sends for bad memory.',
        next: 'Nothing to do for memory.',
      },
    },
  ),
  'disk-error': row('what:string message:string', 'An error of a block device in the database of rasdaemon.', {
    severity: 'unknown',
    record: {
      reporter: 'device',
      headline: 'Disk error in the database of rasdaemon',
      explanation: 'A request to a block device failed. This is no error of memory.',
      next: 'Look at the device it names.',
    },
  }),
  'devlink-error': row(
    'what:string message:string',
    'A health report of a network device in the database of rasdaemon.',
    {
      severity: 'unknown',
      record: {
        reporter: 'device',
        headline: 'Health report of a network device',
        explanation: 'The driver of a device reported that it is not well. This is no error of memory.',
        next: 'Look at the device it names and at its driver.',
      },
    },
  ),
  'ras-vendor': row(
    'what:string message:string',
    'A row of a table of rasdaemon for the records of one maker of chips.',
    {
      severity: 'unknown',
      record: {
        reporter: 'firmware',
        headline: 'Record of a chip maker in the database of rasdaemon',
        explanation: 'The columns are registers and words of that maker, shown as they stand there.',
        next: 'Ask the maker what they mean; look in the kernel log for the record of the same moment.',
      },
    },
  ),
  'page-isolated': row('message:string addr:address', 'rasdaemon asked Linux to take a page out of use.', {
    severity: 'info',
    record: {
      reporter: 'kernel',
      headline: 'rasdaemon takes a page out of use that had many corrected errors',
      explanation:
        'rasdaemon counts corrected errors by page and writes the address into soft_offline_page or hard_offline_page. Older versions say `offlined` also where the kernel refused (public reports: linux-edac, 2020).',
      next: 'Look for the kernel line of the page (`soft offline`): it says whether the page could be moved.',
    },
  }),
  'dimm-named': row('label:string message:string addr?:address', 'SMBIOS names the memory module at an address.', {
    severity: 'info',
    record: {
      reporter: 'kernel',
      headline: 'mcelog names the module at the address',
      explanation:
        'From the tables of the firmware (SMBIOS types 17 and 20): many boards fill them in wrongly, and mcelog itself says so.',
      next: 'Hold it against the label that an EDAC driver or the BMC gives before a module is replaced.',
    },
  }),
};

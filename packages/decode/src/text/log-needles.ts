/** @module The words by which the lines of a log that can matter are found. */

/** Words that every line which can matter holds, except in blocks that a line with one of them opened. */
export const LOG_NEEDLES: readonly string[] = [
  '[Hardware Error]',
  'EDAC MC',
  'Machine Check',
  'Machine check',
  'hardware memory',
  'correctable incident',
  'ardware memory error',
  'Memory failure',
  'ardware error detected on CPU',
  'MCE 0x',
  '] Bank ',
  ': Bank ',
  'Memory error not',
  'accessed poison',
  'MSR access error',
  'ffline: ',
  'offlining pfn',
  'njecting memory failure',
  'Unpoison: ',
  'SError Interrupt',
  'Bad mode in Error',
  'Synchronous External Abort',
  'Unable to handle kernel',
  'Unhandled fault',
  'unhandled exception',
  'Internal error: ',
  'Kernel panic',
  'Linux version',
  '(XEN) ',
  'MCE Memory Error',
  'MEMORY_FAILURE',
  'BUS_MCEERR_A',
  'arm-sea',
  'quarantine',
  '"kind":"x86-mca"',
  '"kind":"cper"',
  '"kind":"event"',
  'triple fault',
  'reporting disabled',
  'MCE injection not',
  'Invalid MCE ',
  'MCA broadcast',
  'mce -b ',
  '(qemu) mce',
  'Hardware event. This',
  'HARDWARE ERROR. This',
  'CPU type vendor ',
  // Of records of mcelog that lost their first lines.
  'mcelog',
  'MCGSTATUS ',
  ' ADDR ',
  ' BANK ',
  'mce_record: ',
  'memory_failure_event: ',
  'mc_event: ',
  'arm_event: ',
  'extlog_mem_event: ',
  'non_standard_event: ',
  // ras-mc-ctl; of each as much as is rare, which is what makes the search fast.
  'rror(s): ',
  ', mcgcap=0x',
  'ge_type=',
  '"MESSAGE":[',
  '"MESSAGE" : [',
];

/** Of values among the lines of a log: nothing is read of them, which is told. */
export const VALUE_NEEDLE = 'status=0x';

const LONGEST = Math.max(...LOG_NEEDLES.map(n => n.length));

/** Whether a text holds such a word that does not end before `at`. */
export function mentions(text: string, at: number): boolean {
  const rest = text.slice(Math.max(0, at - LONGEST + 1));
  return LOG_NEEDLES.some(n => rest.includes(n));
}

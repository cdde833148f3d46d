/**
 * @module The sentences in which management controllers tell of memory and processors. Sources: IPMI 2.0 table 42-3 (sensor types 07h
 * and 0Ch, in the words of ipmitool, ipmiutil and FreeIPMI), Dell's event messages (MEM…, CPU…), HPE's Integrated Management Log.
 */
import type { BMC } from '../../events/bmc.ts';

type BmcKind = keyof typeof BMC;

/** `sensor`: the IPMI sensor type where the words alone would mean anything; missing where they say what they are of. */
interface BmcMessage {
  readonly re: RegExp;
  readonly event: BmcKind;
  readonly sensor?: 'memory' | 'processor';
}

/** The first that matches counts. */
export const BMC_MESSAGES: readonly BmcMessage[] = [
  {
    re: /correctable (?:ECC|memory error) logging limit reached|SBE log disabled/i,
    event: 'bmc-memory-limit',
    sensor: 'memory',
  },
  { re: /uncorrectable (?:ECC|memory error|other)/i, event: 'bmc-memory-uncorrected', sensor: 'memory' },
  { re: /\bcorrectable (?:ECC|memory error|other)/i, event: 'bmc-memory-corrected', sensor: 'memory' },
  { re: /^Parity\b|\bparity (?:error|detected)/i, event: 'bmc-memory-uncorrected', sensor: 'memory' },
  {
    re: /^(?:memory )?device disabled|memory device disabled|memory scrub failed/i,
    event: 'bmc-memory-disabled',
    sensor: 'memory',
  },
  {
    re: /^IERR\b|uncorrectable machine check|uncorrectable cpu.complex error|^machine check exception/i,
    event: 'bmc-processor-uncorrected',
    sensor: 'processor',
  },
  { re: /\bcorrectable machine check/i, event: 'bmc-processor-corrected', sensor: 'processor' },
  // Dell
  {
    re: /\bMulti-?bit memory errors? (?:is |are )?detected on (?:a memory device at|the memory device at)? ?(?:location)?/i,
    event: 'bmc-memory-uncorrected',
  },
  { re: /\bCorrectable memory error rate exceeded\b/i, event: 'bmc-memory-limit' },
  { re: /\bCorrectable memory error logging disabled\b/i, event: 'bmc-memory-limit' },
  { re: /\bPersistent correctable memory errors? (?:is |are )?detected\b/i, event: 'bmc-memory-corrected' },
  {
    re: /\bCPU ?\d{1,2} (?:has an internal error \(IERR\)|machine check error (?:is )?detected)/i,
    event: 'bmc-processor-uncorrected',
  },
  // HPE
  { re: /\bUncorrectable Memory Error\b(?= ?[-:(])/i, event: 'bmc-memory-uncorrected' },
  { re: /\bCorrect(?:ed|able) Memory Error threshold exceeded\b/i, event: 'bmc-memory-limit' },
];

/** What names the module, in the words of many boards: `DIMM_A1`, `P1_DIMMF1`, `CPU1_DIMM_A2`, `Processor 1, Memory Module 6`. */
export const DIMM =
  /\b(?:Processor|Slot) \d{1,2}, (?:Memory Module|DIMM) \d{1,3}\b|\b(?:(?:CPU|P|PROC|Bank|Node)[ _-]?\d{1,2}[ _-]?)?(?:\w{1,8}[_-])?DIMM(?:[_#-]{0,2}\w{1,12}| [A-Z]\d{0,2}\b| #?\d{1,3}\b)?(?:\([^)]{1,16}\)|\/CPU\d{1,2})?|\bCPU\d{1,2}_[A-Z]\d{1,2}\b/;

/**
 * @module The sentences in which management controllers tell of memory and processors. Sources: IPMI 2.0 table 42-3 (sensor types 07h
 * and 0Ch, in the words of ipmitool, ipmiutil and FreeIPMI), Dell's event messages (MEM…, CPU…), HPE's Integrated Management Log,
 * Lenovo's XClarity Controller (FQXS…) and IBM's IMM before it, Cisco's CIMC and UCS Manager, Huawei's iBMC, OpenBMC's message registry, Meta's OpenBMC.
 */
import type { BMC } from '../../events/bmc.ts';

type BmcKind = keyof typeof BMC;

/** `sensor`: the IPMI sensor type where the words alone would mean anything; missing where they say what they are of. */
interface BmcMessage {
  readonly re: RegExp;
  readonly event: BmcKind;
  readonly sensor?: 'memory' | 'processor' | 'interrupt' | 'firmware';
}

/** The first that matches counts. */
const BMC_MESSAGES: readonly BmcMessage[] = [
  // Supermicro (BIOS-0066)
  { re: /\bPost Package Repair success/, event: 'bmc-memory-repaired' },
  {
    re: /correctable (?:ECC|memory error) logging limit reached|SBE log disabled|^upper (?:non-)?critical - going high|ECC warning, transition to non-critical/i,
    event: 'bmc-memory-limit',
    sensor: 'memory',
  },
  { re: /uncorrectable (?:ECC|memory (?:error|ECC)|other)/i, event: 'bmc-memory-uncorrected', sensor: 'memory' },
  { re: /\bcorrectable (?:ECC|memory (?:error|ECC)|other)/i, event: 'bmc-memory-corrected', sensor: 'memory' },
  { re: /^Parity\b|\bparity (?:error|detected)/i, event: 'bmc-memory-uncorrected', sensor: 'memory' },
  { re: /^Redundancy (?:Lost|Degraded)\b/i, event: 'bmc-memory-redundancy', sensor: 'memory' },
  {
    re: /^(?:memory )?device disabled|memory device disabled|memory scrub failed/i,
    event: 'bmc-memory-disabled',
    sensor: 'memory',
  },
  {
    re: /^IERR\b|uncorrectable machine check|uncorrectable cpu.complex error|^machine check exception|mach(?:ine)? ?ch(?:ec)?k, transition to non-recoverable/i,
    event: 'bmc-processor-uncorrected',
    sensor: 'processor',
  },
  // The pin by which a processor says that it met an error it cannot go on with (Intel, CATERR#).
  { re: /^(?:CPLD )?CATERR\b/i, event: 'bmc-processor-uncorrected', sensor: 'processor' },
  { re: /\bcorrectable machine check/i, event: 'bmc-processor-corrected', sensor: 'processor' },
  { re: /\bBus Correctable/i, event: 'bmc-bus-corrected', sensor: 'interrupt' },
  {
    re: /\bPCI [PS]ERR\b|\bBus (?:Uncorrectable|Fatal)|\bFatal NMI\b|\bI\/O channel check/i,
    event: 'bmc-bus-uncorrected',
    sensor: 'interrupt',
  },
  // System Firmware Error, in the words of ipmitool and FreeIPMI
  { re: /\bNo usable system memory\b/i, event: 'bmc-memory-uncorrected', sensor: 'firmware' },
  // The words of IPMI 2.0, table 42-3, in a sentence
  {
    re: /\bcorrectable ECC ?\/ ?other correctable memory error:? logging limit reached\b/i,
    event: 'bmc-memory-limit',
  },
  { re: /\buncorrectable ECC ?\/ ?other uncorrectable memory error\b/i, event: 'bmc-memory-uncorrected' },
  { re: /\bcorrectable ECC ?\/ ?other correctable memory error\b/i, event: 'bmc-memory-corrected' },
  // Dell
  {
    re: /\b(?:Persistent )?correctable memory error rate (?:has )?(?:increased|exceeded) for\b/i,
    event: 'bmc-memory-limit',
  },
  {
    re: /\bMulti-?bit memory errors? (?:is |are )?detected on (?:a memory device at|the memory device at)? ?(?:location)?/i,
    event: 'bmc-memory-uncorrected',
  },
  { re: /\bCorrectable memory error rate (?:has )?(?:exceeded|increased)\b/i, event: 'bmc-memory-limit' },
  {
    re: /\bCorrect(?:able|ed) (?:memory |ECC |memory ECC |ECC memory )?errors? (?:rate )?threshold (?:(?:is|was|has been) )?(?:exceeded|reached)(?= (?:on|for|at|in|by|\()|[.:,]|\s*$)/i,
    event: 'bmc-memory-limit',
  },
  { re: /\bCorrectable memory error logging disabled\b/i, event: 'bmc-memory-limit' },
  { re: /\bPersistent correctable memory errors? (?:is |are )?detected\b/i, event: 'bmc-memory-corrected' },
  {
    re: /\bCPU ?\d{1,2} (?:has an internal error \(IERR\)|machine check error (?:is )?detected)/i,
    event: 'bmc-processor-uncorrected',
  },
  {
    re: /\bThe system memory has faced uncorrectable multi-bit memory errors in the non-execution path of a memory device at the location DIMM/i,
    event: 'bmc-memory-uncorrected',
  },
  {
    re: /\bECC uncorrectable error (?:was )?detected on (?:a memory device at )?Bank \d/i,
    event: 'bmc-memory-uncorrected',
  },
  { re: /\bECC error correction (?:was )?detected on Bank \d/i, event: 'bmc-memory-corrected' },
  {
    re: /\bThe memory health monitor feature has detected a degradation in the DIMM installed in DIMM/i,
    event: 'bmc-memory-limit',
  },
  {
    re: /\bPersistent correctable memory error limit (?:has been )?reached for a memory device at location/i,
    event: 'bmc-memory-limit',
  },
  { re: /\bMemory device at location ?\(?s?\)? ?DIMM ?_?\w{1,4} is disabled\b/i, event: 'bmc-memory-disabled' },
  { re: /\bOne or more memory errors have occurred on memory slot:? ?[A-Z]?\d/i, event: 'bmc-memory-uncorrected' },
  { re: /\bThe self-heal(?:ing)? operation successfully completed at DIMM/i, event: 'bmc-memory-repaired' },
  // HPE
  { re: /\bUncorrectable Memory Error Threshold Exceeded \(.{0,48}\d/i, event: 'bmc-memory-disabled' },
  {
    re: /\bPOST Error: ?201-Memory Error .{0,80}\bBank containing DIMM\(s\) has been disabled\b/i,
    event: 'bmc-memory-disabled',
  },
  {
    re: /\bCorrectable or uncorrectable Memory Errors Detected for the memory module in slot \d/i,
    event: 'bmc-memory-limit',
  },
  {
    re: /\bUncorrectable Memory Error(?= \([^)]{0,48}\d| ?- ?(?:The failed memory module|Processor \d|Slot \d|Board \d|DIMM)|: .{0,48}(?:DIMM|Memory Module))/i,
    event: 'bmc-memory-uncorrected',
  },
  {
    re: /\bCorrect(?:ed|able) (?:Memory )?Error threshold (?:exceeded|passed)(?= (?:on |\()|\.)/i,
    event: 'bmc-memory-limit',
  },
  // AMI's screen at the start of boards with AMD's processors
  { re: /^\s{0,8}Node ?\d{1,2}: DRAM uncorrectable ECC Error\b/i, event: 'bmc-memory-uncorrected' },
  { re: /^\s{0,8}Node ?\d{1,2}: HT Link (?:SYNC|CRC) Error\b/i, event: 'bmc-bus-uncorrected' },
  // Lenovo, and IBM before
  {
    re: /\bUncorrectable error detected for .{1,40}? on subsystem\b/i,
    event: 'bmc-memory-uncorrected',
  },
  {
    re: /\bAn uncorrectable memory error (?:has been|was) detected (?:(?:on|in) DIMM (?:slot )?\d|on processor \d{1,2} channel \d)/i,
    event: 'bmc-memory-uncorrected',
  },
  { re: /\bMemory Logging Limit Reached for .{1,40}? on subsystem\b/i, event: 'bmc-memory-limit' },
  {
    re: /\b(?:The )?PFA Threshold limit \(correctable error logging limit\) has been exceeded on DIMM number \d/i,
    event: 'bmc-memory-limit',
  },
  { re: /\bDIMM \d{1,3} Self-healing, attempt(?:ed)? post package repair \(PPR\)/i, event: 'bmc-memory-repaired' },
  { re: /\bMulti-bit CE occurred on DIMM \d/i, event: 'bmc-memory-corrected' },
  { re: /\bScrub Failure for .{1,40}? on subsystem\b/i, event: 'bmc-memory-disabled' },
  { re: /"?\b(?:Memory Device|DIMM) \d{1,3}"? (?:has been )?disabled on subsystem\b/i, event: 'bmc-memory-disabled' },
  { re: /\bhas failed with IERR\b/i, event: 'bmc-processor-uncorrected' },
  // Huawei
  { re: /\bDIMM\w{1,8} trigger(?:s|ed) an uncorrectable error\b/i, event: 'bmc-memory-uncorrected' },
  { re: /\bCPU ?\d{1,2} trigger(?:s|ed) an? (?:CATERR|CAT ERROR|IERR)/i, event: 'bmc-processor-uncorrected' },
  // OpenBMC's registry, in which the place is named
  { re: /\bMemory ECC uncorrectable error\. Socket=\w/, event: 'bmc-memory-uncorrected' },
  { re: /\bMemory ECC correctable error\. Socket=\w/, event: 'bmc-memory-corrected' },
  // Sensors of the Open Compute Project, as Meta's OpenBMC prints them
  { re: /\bMACHINE_CHK_ERR \(0x[0-9a-f]{2}\), .{0,32}Uncorrect/i, event: 'bmc-processor-uncorrected' },
  { re: /\bMACHINE_CHK_ERR \(0x[0-9a-f]{2}\), .{0,32}Correct/i, event: 'bmc-processor-corrected' },
  // Any board, where a module is named right behind
  {
    re: /\buncorrectable (?:memory )?ECC(?: errors?)?(?: (?:on|at))? {0,2}[@(]{0,2} ?(?:DIMM[_ ]?(?:[A-Z]?\d|[A-Z]\b)|[A-Z]?[A-Z0-9]{1,6}[_ ]?DIMM[ _]?[A-Z]?\d|CPU ?\d)/i,
    event: 'bmc-memory-uncorrected',
  },
  {
    re: /\bcorrectable (?:memory )?ECC(?: errors?)?(?: (?:on|at))? {0,2}[@(]{0,2} ?(?:DIMM[_ ]?(?:[A-Z]?\d|[A-Z]\b)|[A-Z]?[A-Z0-9]{1,6}[_ ]?DIMM[ _]?[A-Z]?\d|CPU ?\d)/i,
    event: 'bmc-memory-corrected',
  },
  {
    re: /\b(?:uncorrectable|multi-?bit) (?:memory |ECC |memory ECC |ECC memory )?errors? (?:(?:is|are|was|were|has been|have been) )?(?:detected|found|occurred) (?:on|in|at|for) (?:the )?(?:DIMM|memory module|CPU ?\d|P\d)[ _-]?\(?['"]?[A-Z0-9]/i,
    event: 'bmc-memory-uncorrected',
  },
  {
    re: /\b(?:correctable|corrected|single-?bit) (?:memory |ECC |memory ECC |ECC memory )?errors? (?:(?:is|are|was|were|has been|have been) )?(?:detected|found|occurred) (?:on|in|at|for) (?:the )?(?:DIMM|memory module|CPU ?\d|P\d)[ _-]?\(?['"]?[A-Z0-9]/i,
    event: 'bmc-memory-corrected',
  },
  // Supermicro, and its screen at the start
  {
    re: /\bFailing DIMM: DIMM location\.? ?\(Uncorrectable memory component found\)/i,
    event: 'bmc-memory-uncorrected',
  },
  { re: /\bFailing DIMM: DIMM location\.? ?\(Correctable memory component found\)/i, event: 'bmc-memory-corrected' },
  { re: /\b(?:CPU ?\d{0,2}|Processor ?\d{0,2}|P\d):? (?:CAT ?ERR|IERR|MCERR)\b/i, event: 'bmc-processor-uncorrected' },
  // Meta's OpenBMC (OpenBIC: fby35, gpiod: fby3)
  { re: /\bPOST Failure Event: DRAM (?:page|row|bank|channel|rank) retired\b/, event: 'bmc-memory-disabled' },
  { re: /\b(?:IERR|MCERR)\/CATERR\b/, event: 'bmc-processor-uncorrected' },
  // HPE, at the start
  {
    re: /\bUncorrectable Memory Error detected by ROM-based memory validation\b/i,
    event: 'bmc-memory-uncorrected',
  },
  // Dell's OpenManage, and ipmievd
  {
    re: /\bMemory device location: \S{1,24} {1,4}Possible memory module event cause: ?.{0,96}?Multi[ -]?bit error/i,
    event: 'bmc-memory-uncorrected',
  },
  {
    re: /\bMemory device location: \S{1,24} {1,4}Possible memory module event cause: ?Single[ -]?bit .{0,24}rate exceeded/i,
    event: 'bmc-memory-limit',
  },
  { re: /^Memory sensor\b.{0,48}\bUncorrectable ECC\b/i, event: 'bmc-memory-uncorrected' },
  { re: /^Memory sensor\b.{0,48}\bCorrectable ECC\b/i, event: 'bmc-memory-corrected' },
  {
    re: /\bMemory (?:RAID|mirror(?:ed)?|spared?) redundancy (?:is )?(?:lost|degraded)\b/i,
    event: 'bmc-memory-redundancy',
  },
  // Cisco: faults of UCS Manager, and of the controller of one server. Operable modules may be degraded: too many corrected errors.
  {
    re: /\[F0185\]\[[a-z]{4,8}\]\[[\w-]{1,40}\]\[[^\]\s]{0,80}\/memarray-\d{1,2}\/mem-\d{1,3}\]/,
    event: 'bmc-memory-uncorrected',
  },
  {
    re: /\[F0184\]\[[a-z]{4,8}\]\[[\w-]{1,40}\]\[[^\]\s]{0,80}\/memarray-\d{1,2}\/mem-\d{1,3}\]/,
    event: 'bmc-memory-limit',
  },
  { re: /(?:\bDDR\d_P\d{1,2}_[A-Z]\d{1,2}_ECC: )?\bDIMM \w{1,8} is inoperable\b/, event: 'bmc-memory-uncorrected' },
  { re: /\bDIMM \w{1,8} on server \d{1,3}(?:\/\d{1,2})? operability: inoperable\b/, event: 'bmc-memory-uncorrected' },
  { re: /\bDIMM \w{1,8} on server \d{1,3}(?:\/\d{1,2})? operability: degraded\b/, event: 'bmc-memory-limit' },
  // Meta's OpenBMC: the regulator on a module of DDR5
  {
    re: /\b(?:PMIC_ERR \(0x[0-9a-f]{2}\), Event Data: \([0-9a-f]{6}\)|DIMM PMIC Error :) DIMM \w{1,3} \w{2,8}(?: \w{2,8})? [OU]V\b|\bDIMM \w{1,3} PMIC Error: \w{2,12}_[OU]V\b/i,
    event: 'bmc-memory-power',
  },
  {
    re: /\b(?:PMIC_ERR \(0x[0-9a-f]{2}\), Event Data: \([0-9a-f]{6}\)|DIMM PMIC Error :) DIMM \w{1,3} \w/i,
    event: 'bmc-memory-power-warning',
  },
  // IBM, at the start; its codes also without their sentences
  { re: /\bAn uncorrectable memory error has been detected during POST\b/, event: 'bmc-memory-uncorrected' },
  { re: /\bA DIMM has failed the POST memory test\b/, event: 'bmc-memory-disabled' },
  { re: /\bS\.51003\]?\s*$/, event: 'bmc-memory-uncorrected' },
  { re: /\bW\.58001\]?\s*$/, event: 'bmc-memory-limit' },
  { re: /\bS\.58008\]?\s*$/, event: 'bmc-memory-disabled' },
  // The health of the host as ESXi has it from the controller
  { re: /\bAssert \+ Memory Uncorrectable ECC\b/, event: 'bmc-memory-uncorrected' },
  { re: /\bAssert \+ Memory Correctable ECC logging limit reached\b/, event: 'bmc-memory-limit' },
  { re: /\bAssert \+ Memory Correctable ECC\b/, event: 'bmc-memory-corrected' },
  { re: /\bAssert \+ Processor (?:IERR|Machine Check Exception)\b/, event: 'bmc-processor-uncorrected' },
  { re: /\bAssert \+ Processor Correctable Machine Check\b/, event: 'bmc-processor-corrected' },
  { re: /\bMemory state assert for Uncorrectable ECC\b/i, event: 'bmc-memory-uncorrected' },
  { re: /\bMemory state assert for Correctable ECC logging limit reached\b/i, event: 'bmc-memory-limit' },
];

/** The message of words of a sensor of the type. */
export const messageOf = (words: string, type: string | undefined): BmcMessage | undefined =>
  BMC_MESSAGES.find(m => (m.sensor === undefined || m.sensor === type) && m.re.test(words));

/** What names the module, in the words of many boards: `DIMM_A1`, `P1_DIMMF1`, `CPU1_DIMM_A2`, `Processor 1, Memory Module 6`. */
export const DIMM =
  /\b(?:Processor|Slot|Board|System Memory)(?: \d{1,2})?,? (?:Memory Module|DIMM) \d{1,3}\b|\bMemory Device \d{1,3}\b|\bDIMM (?:P|CPU)\d{1,2}[_-]?[A-Z]\d{0,2}\b|\bSocket=\w{1,3} Channel=\w{1,3} DIMM=\w{1,3}(?: Rank=\w{1,3})?|\bDIMM: \w{1,4} SOCKET: \d\b|(?<=\bDIMM: )[A-Z]\d{1,2}\b(?=$| \|)|\bDIMM (?:slot|number) \d{1,3}\b|\b(?:(?:CPU|P|PROC|Bank|Node)[ _-]?\d{1,2}[ _-]?)?(?:\w{1,8}[_-])?DIMM(?:[_#-]{0,2}\w{1,12}| [A-Z]\d{0,2}\b| #?\d{1,3}\b)?(?:\([^)]{1,16}\)|\/CPU\d{1,2})?|\bCPU\d{1,2}_[A-Z]\d{1,2}\b/g;

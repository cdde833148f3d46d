/**
 * @module Disagreements with rasdaemon that are known, each with who is right and by which document. What rasdaemon does is said as it
 * was seen of 0.8.3 (Debian trixie).
 */
import { errorCodeOf, unfiltered } from '@syndrome/decode/mca/mcacod.ts';
import { MCI_STATUS_INTEL } from '@syndrome/decode/mca/registers.ts';
import type { Judged } from '../compare.ts';

const STATUS = 'SDM vol. 3B, "IA32_MCi_STATUS MSRs"';
const CODES = 'SDM vol. 3B, "IA32_MCi_Status [15:0] Compound Error Code Encoding"';
const SIMPLE = 'SDM vol. 3B, "IA32_MCi_Status [15:0] Simple Error Code Encoding"';
const UCR = 'SDM vol. 3B, "UCR Error Classification"';
const THRESHOLD = 'SDM vol. 3B, "Overview of Enhanced Cache Error Reporting"';
const MODELS = 'SDM vol. 3B, "Interpreting Machine-Check Error Codes"';
const AMD_STATUS = 'APM vol. 2, "Machine-Check Status Registers"';
const AMD_CODES = 'APM vol. 2, "Machine-Check Error Codes"';
const IPID = 'PPR, "MCA_IPID" and "Mapping of blocks to MCA_IPID[HwId] and [McaType]"';

/** Bits 19:16, the number of an error of the power control unit's controller. */
const controllerOf = (status: bigint): bigint => MCI_STATUS_INTEL.read(status).MSCOD & 0xfn;

export const RAS_JUDGED_INTEL: readonly Judged[] = [
  {
    fact: 'filtered',
    theirs: /^yes$/,
    ours: /^-$/,
    right: 'ours',
    why: `Bit 12 means that reports of corrections are filtered in compound codes only; in any other code it is a bit of a code that is not listed. ${CODES}.`,
  },
  {
    fact: 'code',
    theirs: /./,
    ours: /^unknown$/,
    when: status => errorCodeOf(status) !== unfiltered(errorCodeOf(status)),
    right: 'ours',
    why: `Bit 12 belongs to compound codes: rasdaemon takes it off simple ones, and reads 1000h as no error. ${SIMPLE}.`,
  },
  {
    fact: 'code',
    theirs: /^(?:tlb|cache-hierarchy|bus-interconnect|memory-controller)$/,
    ours: /^unknown$/,
    right: 'both',
    why: `A field of the code has a value that is reserved (TT 11b, RRRR above 8, II 01b, MMM above 4): rasdaemon names the form and calls the field unknown or reserved, ours calls the code unknown. ${CODES}.`,
  },
  {
    fact: 'code',
    theirs: /^unknown$/,
    ours: /^extended-memory$/,
    right: 'ours',
    why: `0280h to 02FFh are errors of memory that is used as a cache; rasdaemon does not know the form, and calls them unknown. ${CODES}.`,
  },
  {
    fact: 'code',
    theirs: /^bus-interconnect$/,
    ours: /^io$/,
    right: 'ours',
    why: `0E0Bh is listed as a code of its own, the generic I/O error, though it has the form of a bus error. ${SIMPLE}.`,
  },
  {
    fact: 'class',
    theirs: /^-$/,
    ours: /^UCNA$/,
    right: 'ours',
    why: `UC = 1 with PCC, S and AR clear is UCNA; rasdaemon names the class only where S or AR is set. ${UCR}.`,
  },
  {
    fact: 'class',
    theirs: /^AR$/,
    ours: /^-$/,
    right: 'ours',
    why: `S = 0 with AR = 1 is no class of the table: ours says so in its lint. ${UCR}.`,
  },
  {
    fact: 'class',
    theirs: /^SRA[OR]$/,
    ours: /^-$/,
    when: status => MCI_STATUS_INTEL.read(status).PCC,
    right: 'ours',
    why: `With PCC set nothing is recoverable: the classes of S and AR ask for PCC = 0. ${UCR}.`,
  },
  {
    fact: 'action',
    theirs: /^watch$/,
    ours: /^-$/,
    right: 'ours',
    why: `rasdaemon's warning of many corrected errors is given for the status green (01b), which is below the threshold. ${THRESHOLD}.`,
  },
  {
    fact: 'action',
    theirs: /^-$/,
    ours: /^watch$/,
    right: 'ours',
    why: `Yellow (10b) says that the threshold was exceeded: of it rasdaemon gives no warning. ${THRESHOLD}.`,
  },
  {
    fact: 'threshold',
    theirs: /^res3$/,
    ours: /^-$/,
    right: 'both',
    why: `Threshold status 11b is reserved: rasdaemon prints a word for it, ours leaves it out. ${THRESHOLD}.`,
  },
  {
    fact: 'count',
    theirs: /^-$/,
    ours: /^\d+$/,
    right: 'ours',
    why: `Bits 52:38 count corrected errors of every code; rasdaemon gives the count of memory errors alone. ${STATUS}.`,
  },
  {
    fact: 'count',
    theirs: /^0$/,
    ours: /^-$/,
    right: 'ours',
    why: `Of an uncorrected error of memory rasdaemon prints n_errors=0: bits 52:38 count corrected ones, and say nothing of this one. ${STATUS}.`,
  },
  {
    fact: 'count',
    theirs: /^[1-9]/,
    ours: /^-$/,
    right: 'ours',
    why: `Bits 52:38 are a count where MCG_CAP.CMCI_P is set, which QEMU's CPUs have clear; rasdaemon does not look at it. ${STATUS}.`,
  },
  {
    fact: 'unit',
    theirs: /^-$/,
    ours: /^(?:MLC|PCU)$/,
    right: 'both',
    why: `rasdaemon has no name for the bank of the L2 cache, and names the power control unit of 06_55H only with one of its internal errors. ${MODELS}.`,
  },
  {
    fact: 'model',
    theirs: /^words$/,
    ours: /^number$/,
    when: status => controllerOf(status) > 8n,
    right: 'ours',
    why: `rasdaemon cuts a number down to the length of its table: 9 to 15 in bits 19:16 of the power control unit of 06_6AH are told as 1 to 7, though no table lists them. ${MODELS}.`,
  },
  {
    fact: 'model',
    theirs: /^-$/,
    ours: /^(?:words|number)$/,
    when: status => MCI_STATUS_INTEL.read(status).MSCOD < 0x100n,
    right: 'ours',
    why: `Bits 23:16 of the power control unit: of 06_55H rasdaemon says at most that it is an internal error, and of 06_6AH it cuts 8 down to 0; ours shows each number. ${MODELS}.`,
  },
  {
    fact: 'model',
    theirs: /^words$/,
    ours: /^number$/,
    when: status => controllerOf(status) === 2n,
    right: 'both',
    why: `Bit 17 of a mesh to memory unit is reserved: rasdaemon says the word, ours shows the bit. ${MODELS}.`,
  },
  {
    fact: 'model',
    theirs: /^-$/,
    ours: /^words$/,
    when: status => MCI_STATUS_INTEL.read(status).MSCOD >> 8n !== 0n,
    right: 'ours',
    why: `Bits 25:24 of a mesh to memory unit of 06_55H are the type of memory: rasdaemon has no words for them. ${MODELS}.`,
  },
];

export const RAS_JUDGED_AMD: readonly Judged[] = [
  {
    fact: 'class',
    theirs: /^UC$/,
    ours: /^PCC$/,
    right: 'ours',
    why: `UC with PCC is fatal: the state of the processor may be corrupt. rasdaemon writes its word for that, and then the one for a containable error over it. ${AMD_STATUS}.`,
  },
  {
    fact: 'class',
    theirs: /^(?:CE|Deferred)$/,
    ours: /^PCC$/,
    right: 'ours',
    why: `PCC says that the state of the processor may be corrupt, whatever the other bits say; rasdaemon asks for it only where UC is set, and says "no action required". ${AMD_STATUS}.`,
  },
  {
    fact: 'class',
    theirs: /^UC$/,
    ours: /^Deferred$/,
    right: 'both',
    why: `UC and Deferred both set is nothing that the table of severities has: rasdaemon asks for UC first, ours for Deferred, as Linux does. ${AMD_STATUS}.`,
  },
  {
    fact: 'unit',
    theirs: /^UMC_V2$/,
    ours: /./,
    right: 'ours',
    why: `Of a type of bank that its table lacks rasdaemon takes what was in a variable: that of a memory controller of an accelerator, or of the record before. ${IPID}.`,
  },
  {
    fact: 'extended',
    theirs: /./,
    ours: /^-$/,
    right: 'ours',
    why: `As before: the extended code is then read by the table of a bank type that is not that of the record. ${IPID}.`,
  },
  {
    fact: 'channel',
    theirs: /^-$/,
    ours: /^\d+$/,
    right: 'ours',
    why: 'MCA_IPID names the instance of a memory controller, which is its channel, whatever the error; rasdaemon gives it of DRAM ECC errors alone. PPR, "MCA_IPID_UMC".',
  },
  {
    fact: 'channel',
    theirs: /^\d+$/,
    ours: /^-$/,
    right: 'both',
    why: `Channels of an accelerator's memory controller (type 1 of 96h), made of bits of MCA_IPID as Linux makes them; no public PPR has them, and ours says none. rasdaemon says them also of banks that it does not know. ${IPID}.`,
  },
  {
    fact: 'chipSelect',
    theirs: /^\d+$/,
    ours: /^-$/,
    right: 'both',
    why: `As before, of the chip select. ${IPID}.`,
  },
  {
    fact: 'code',
    theirs: /^-$/,
    ours: /^(?:no-error|unknown)$/,
    right: 'both',
    why: `A code that has none of the forms: rasdaemon is silent, ours says that it is unknown, and 0000h no error. ${AMD_CODES}.`,
  },
  {
    fact: 'code',
    theirs: /^(?:tlb|cache-hierarchy|bus-interconnect)$/,
    ours: /^unknown$/,
    right: 'both',
    why: `A field of the code has a value that is reserved (TT 11b, RRRR above 8, II 01b): rasdaemon names the form, ours calls the code unknown. ${AMD_CODES}.`,
  },
  {
    fact: 'code',
    theirs: /^internal-unclassified$/,
    ours: /^bus-interconnect$/,
    right: 'ours',
    why: `Bit 11 set is the form of a bus error: rasdaemon leaves the bit out where it asks for an internal one, 0000 01UU 0000 0000. ${AMD_CODES}.`,
  },
  {
    fact: 'II',
    theirs: /^-$/,
    ours: /./,
    right: 'both',
    why: `rasdaemon leaves out whether a bus error was of memory or I/O. ${AMD_CODES}.`,
  },
];

/** @module Disagreements with mcelog that are known, each with who is right and by which document. */
import { errorCodeOf, unfiltered } from '@syndrome/decode/mca/mcacod.ts';
import { MCI_STATUS_INTEL } from '@syndrome/decode/mca/registers.ts';
import type { Judged } from './compare.ts';

const { UC } = MCI_STATUS_INTEL.masks;
const CODES = 'SDM vol. 3B, "IA32_MCi_Status [15:0] Compound Error Code Encoding"';
const SIMPLE = 'SDM vol. 3B, "IA32_MCi_Status [15:0] Simple Error Code Encoding"';
const UCR = 'SDM vol. 3B, "UCR Error Classification"';

export const JUDGED: readonly Judged[] = [
  {
    fact: 'status',
    theirs: /./,
    ours: /./,
    right: 'ours',
    why: 'mcelog skips the letters c to f behind "Machine Check Exception", and loses the header of a line whose MCG_STATUS begins with one; Linux prints it in hexadecimal (arch/x86/kernel/cpu/mce/core.c).',
  },
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
    why: `Bit 12 belongs to compound codes: mcelog takes it off simple ones, and reads 1000h as no error. ${SIMPLE}.`,
  },
  {
    fact: 'code',
    theirs: /^(?:tlb|cache-hierarchy|bus-interconnect|memory-controller|extended-memory)$/,
    ours: /^unknown$/,
    right: 'both',
    why: `A field of the code has a value that is reserved (TT 11b, RRRR above 8, II 01b, MMM above 4): mcelog names the form and calls the field unknown, ours calls the code unknown. ${CODES}.`,
  },
  {
    fact: 'code',
    theirs: /^bus-interconnect$/,
    ours: /^io$/,
    right: 'ours',
    why: `0E0Bh is listed as a code of its own, the generic I/O error, though it has the form of a bus error. ${SIMPLE}.`,
  },
  {
    fact: 'LL',
    theirs: /./,
    ours: /./,
    right: 'ours',
    why: `mcelog adds one to the level of cache errors, so that 134h, level 0, becomes level 1, and LL = 11b has no name. ${CODES}, sub-field LL.`,
  },
  {
    fact: 'class',
    theirs: /^(?:AR|SRAO|SRAR|UCNA)$/,
    ours: /^-$/,
    when: status => (status & UC) === 0n,
    right: 'ours',
    why: `S and AR say something of uncorrected errors only (UC = 1). ${UCR}.`,
  },
  {
    fact: 'class',
    theirs: /^-$/,
    ours: /^UCNA$/,
    right: 'ours',
    why: `UC = 1 with PCC, S and AR clear is UCNA; mcelog names the class only where S or AR is set. ${UCR}.`,
  },
  {
    fact: 'class',
    theirs: /^AR$/,
    ours: /./,
    right: 'ours',
    why: `S = 0 with AR = 1 is no class of the table: ours says so in its lint. ${UCR}.`,
  },
  {
    fact: 'threshold',
    theirs: /^res3$/,
    ours: /^-$/,
    right: 'both',
    why: 'Threshold status 11b is reserved: mcelog prints a word for it, ours leaves it out. SDM vol. 3B, "Overview of Enhanced Cache Error Reporting".',
  },
];

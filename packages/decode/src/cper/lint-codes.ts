/**
 * @module Every finding the lint of firmware records can make: a stable code, how serious it is, one line for a list, the
 * place in the manual, and the text behind `--explain`. The shapes are those of the machine check lint.
 */

import type { Finding, FindingCode, FindingSeverity } from '../registers/finding.ts';

const GHES = 'ACPI 6.5 18.3.2.7.1, Generic Error Status Block and Data Entry';
const RECORD = 'UEFI 2.10 N.2.1, record header';
const DESCRIPTOR = 'UEFI 2.10 N.2.2, section descriptor';
const MEMORY = 'UEFI 2.10 N.2.5 and N.2.6, memory error sections';
const ARM = 'UEFI 2.10 N.2.4.4, ARM processor error section';
const X86 = 'UEFI 2.10 N.2.4.2, IA32/X64 processor error section';

const row = (severity: FindingSeverity, section: string, title: string, explanation: string): FindingCode => ({
  severity,
  title,
  section,
  explanation,
});

export const CPER_LINT_CODES = {
  L_CPER_SEVERITY_RANGE: row(
    'error',
    GHES,
    'a severity that does not exist',
    'Severities are 0 recoverable, 1 fatal, 2 corrected and 3 none. Linux reads any other number as none.',
  ),
  L_CPER_SEVERITY_MISMATCH: row(
    'warning',
    GHES,
    'the severity of the record is not the worst of its sections',
    'The record should carry the severity of its worst section. Linux acts on the severity of the record, and takes a page away only when record and section are both recoverable.',
  ),
  L_CPER_STATUS_BITS: row(
    'warning',
    GHES,
    'the block status disagrees with the severities of the sections',
    'Bit 0 says that an uncorrectable error is there, bit 1 a correctable one, bits 2 and 3 that there are several. Software that polls looks at these bits first.',
  ),
  L_CPER_STATUS_COUNT: row(
    'warning',
    GHES,
    'the block status counts another number of entries',
    'Bits 13:4 of the block status count the data entries. 0 with entries is what QEMU writes for its own records.',
  ),
  L_CPER_NO_SECTION: row(
    'warning',
    GHES,
    'there is no section',
    'A record without a section says that something happened and not what. An empty status block means that there is no error.',
  ),
  L_CPER_REVISION: row(
    'warning',
    GHES,
    'the revision is unknown',
    'Data entries have revision 0x201 or 0x300, records 0x100 or 0x101, those of Windows 0x210. Other revisions are read like the nearest known one.',
  ),
  L_CPER_REVISION_MIXED: row(
    'warning',
    GHES,
    'data entries of both revisions in one block',
    'Entries of revision 2 have 64 bytes before the section, of revision 3 72. A block that mixes them is read differently by different software.',
  ),
  L_CPER_LENGTH: row(
    'error',
    GHES,
    'a length that cannot be',
    'A length says more, or less, than there is. Linux refuses a status block whose entries do not add up exactly to its data length.',
  ),
  L_CPER_CUT: row(
    'error',
    RECORD,
    'the end of the record is missing',
    'The header says a length, and the sections lie within it, but there are fewer bytes: whoever handed the record on cut it. What is missing stands in the original.',
  ),
  L_CPER_COUNT: row(
    'error',
    RECORD,
    'a count that is not the number of structures',
    'A header counts structures that are not there. Software that trusts the count reads behind the end.',
  ),
  L_CPER_TRAILING: row(
    'warning',
    GHES,
    'bytes behind the last structure',
    'The bytes belong to nothing. Padding is common in regions that firmware reserves; inside a section it is a sign of another layout.',
  ),
  L_CPER_OVERLAP: row(
    'error',
    DESCRIPTOR,
    'a section does not lie where sections can lie',
    'The offset points into the header, into another section or away from the place behind the section before.',
  ),
  L_CPER_SECTION_SIZE: row(
    'warning',
    DESCRIPTOR,
    'a section of another size than specified',
    'Memory sections of 73 (UEFI 2.1) and 77 bytes exist in the field. Members behind the end are missing even where they are marked valid.',
  ),
  L_CPER_SECTION_BROKEN: row(
    'error',
    DESCRIPTOR,
    'a section of a known type that is too short to be one',
    'The bytes are kept, and nothing can be read from them. Linux drops such a section.',
  ),
  L_CPER_SECTION_UNKNOWN: row(
    'info',
    DESCRIPTOR,
    'a section of a type that is not taken apart',
    'Vendors define their own sections. The bytes are kept; the maker of the firmware knows what they mean.',
  ),
  L_CPER_VALID_EMPTY: row(
    'error',
    MEMORY,
    'a validation bit without its value',
    'The member is marked valid and lies behind the end of the section, or the bit has no meaning.',
  ),
  L_CPER_VALUE_UNMARKED: row(
    'warning',
    MEMORY,
    'a value whose validation bit is clear',
    'Software ignores the value. Handwritten records forget the bit: an address without it is no address, and no page is acted on.',
  ),
  L_CPER_RESERVED: row(
    'warning',
    MEMORY,
    'reserved bytes are not 0',
    'Bytes are set that the specification keeps 0. A later revision may use them.',
  ),
  L_CPER_FRU_TEXT: row(
    'warning',
    DESCRIPTOR,
    'text that is not printable ASCII',
    'The text is shown with question marks; the bytes are kept.',
  ),
  L_CPER_FRU_UNTERMINATED: row(
    'info',
    DESCRIPTOR,
    'FRU text without an end',
    'All 20 bytes are used and no NUL ends the text. Software that looks for one reads on into the next structure.',
  ),
  L_CPER_TIMESTAMP: row(
    'warning',
    RECORD,
    'a time stamp that is no time',
    'Time stamps are BCD: seconds, minutes, hours, flags, day, month, year, century. Binary numbers put there look like this.',
  ),
  L_CPER_SIGNATURE: row(
    'error',
    RECORD,
    'the end of the signature is not 0xffffffff',
    'Software that checks it refuses the record.',
  ),
  L_CPER_SIMULATED: row(
    'info',
    RECORD,
    'marked as simulated',
    'The flag says that the error was made on purpose. Linux prints it all the same.',
  ),
  L_CPER_NO_ADDRESS: row(
    'info',
    MEMORY,
    'a memory error without a physical address',
    'Linux prints the record and can take no page out of use. A recoverable error is then not recovered from.',
  ),
  L_CPER_MASK: row(
    'warning',
    MEMORY,
    'an address mask with holes',
    'A mask has its ones at the top and its zeros at the bottom; the zeros say how large the affected block is. 0 says nothing.',
  ),
  L_CPER_MEMORY_TYPE: row('warning', MEMORY, 'the memory error type is reserved', 'Types are 0 to 15.'),
  L_CPER_BANK_TWICE: row(
    'info',
    MEMORY,
    'a bank given whole and in parts',
    'Validation bit 6 says that the two bytes are a bank number, bits 19 and 20 (20 and 21 in section 2) that they are a group and an address. Firmware sets one or the other.',
  ),
  L_CPER_BODY_SEVERITY: row(
    'warning',
    GHES,
    'the section says corrected, its severity does not, or the other way round',
    'What the body says about the error disagrees with the severity around it. Software acts on the severity.',
  ),
  L_CPER_ARM_TYPE: row(
    'error',
    ARM,
    'the ARM error type is reserved',
    'In UEFI 2.10 bits 1 to 4 are cache, TLB, bus and micro-architectural error. 0 and 1 are what firmware older than 2.9A, or as new as 2.11, writes.',
  ),
  L_CPER_ARM_TYPE_DOUBT: row(
    'info',
    ARM,
    'the ARM error type has other readings',
    'The encoding was changed twice without a new version number: no encoding was given before UEFI 2.9A, bits 1 to 4 in 2.9A and 2.10, bits 0 to 3 in 2.11. Look at the other members, and at the age of the firmware.',
  ),
  L_CPER_ARM_EMPTY: row(
    'error',
    ARM,
    'an ARM processor section without an error structure',
    'There is at least one; Linux finds nothing to act on.',
  ),
  L_CPER_X86_CHECK: row(
    'warning',
    X86,
    'a check of unknown kind',
    'The GUID of an error structure is none of cache, TLB, bus and micro-architecture specific check; its check information cannot be read.',
  ),
  L_CPER_QEMU: row(
    'info',
    'QEMU hw/acpi/ghes.c',
    "the shape of QEMU's own record",
    'QEMU makes this record when the host tells it that guest memory is bad: one memory section, recoverable, type unknown, with the guest physical address and nothing else, and an entry count of 0.',
  ),
} as const satisfies Readonly<Record<string, FindingCode>>;

/**
 * Where it stands of a record with a header, which is UEFI's: codes that speak of a status block as well (ACPI) or of a section in
 * either. The first is for what is said of the record, the second for what is said of one section of it.
 */
const OF_RECORD: Partial<Record<CperLintCodeId, readonly [record: string, section: string]>> = {
  L_CPER_SEVERITY_RANGE: [RECORD, DESCRIPTOR],
  L_CPER_SEVERITY_MISMATCH: [RECORD, RECORD],
  L_CPER_NO_SECTION: [RECORD, RECORD],
  L_CPER_REVISION: [RECORD, DESCRIPTOR],
  L_CPER_LENGTH: [RECORD, DESCRIPTOR],
  L_CPER_TRAILING: [RECORD, DESCRIPTOR],
  L_CPER_BODY_SEVERITY: [DESCRIPTOR, DESCRIPTOR],
};

/** Manual and section of a finding about a record (`hasHeader`) or a status block, or about one section of it. */
export function sectionOfLint(code: CperLintCodeId, hasHeader: boolean, ofSection: boolean): string {
  const uefi = hasHeader ? OF_RECORD[code] : undefined;
  return uefi?.[ofSection ? 1 : 0] ?? CPER_LINT_CODES[code].section;
}

/** All manuals and sections of a code, for a list. */
export function sectionsOfLint(code: string): string {
  const id = code as CperLintCodeId;
  return [...new Set([CPER_LINT_CODES[id].section, ...(OF_RECORD[id] ?? [])])].join('; ');
}

export type CperLintCodeId = keyof typeof CPER_LINT_CODES;

export type CperFinding = Finding<CperLintCodeId>;

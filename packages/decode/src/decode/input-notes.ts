/** @module What is said of bytes that do not come as bytes, or in no whole record. */

/** What each code says in general, for `--explain`. */
export const INPUT_NOTES = {
  E_INPUT_BYTES:
    'A text that stands for bytes (hex, base64, a dump) holds something else, ends within a byte, or leaves bytes out. What could not be read was left out, and what comes behind it is read as a new beginning: bytes that were not next to each other are never joined.',
  E_INPUT_DATABASE:
    'A table of a database could not be read to its end, or holds rows that say nothing that could be read. All other rows were read.',
  E_INPUT_ARCHIVE:
    'An archive or something packed is cut, damaged, or unpacks to more than any log does. What stands before that was read.',
  E_INPUT_FILE:
    'A file of a folder or an archive that by its name may hold errors could not be read, or not to its end. All others were read.',
  E_INPUT_SEL: 'Bytes at the end of a system event log are no whole record, which has 16. They were left out.',
  E_INPUT_XEN:
    'Bytes of /dev/mcelog of a Xen dom0 that are no whole record, or one that was not finished. They were left out.',
} as const;

export type InputNoteCode = keyof typeof INPUT_NOTES;

/** @module The QMP command `inject-ghes-v2-error`. Source: QEMU qapi/acpi-hest.json, 10.2 and later. */

export const GHES_COMMAND = 'inject-ghes-v2-error';

/** Size of the error block QEMU reserves (hw/acpi/ghes.c, ACPI_GHES_MAX_RAW_DATA_LENGTH). */
export const GHES_MAX_BYTES = 1024;

/** Its arguments for a status block. QEMU 10.2 to 11.1 aborts on text that is not base64. */
export function ghesArguments(block: Uint8Array): { cper: string } {
  return { cper: btoa(String.fromCharCode(...block)) };
}

/** @module What is said of the bytes of a table. Encoding throws the CperError of `cper/layout.ts` for a value that does not fit. */

/** Something about the bytes that is not as the specification says. */
export interface AcpiDiagnostic {
  /** Stable: `E_…` data was lost, `W_…` it was read all the same. */
  code: 'E_ACPI_TRUNCATED' | 'E_ACPI_SIGNATURE' | 'E_ACPI_SOURCE' | 'W_ACPI_CHECKSUM' | 'W_ACPI_COUNT' | 'W_ACPI_TEXT';
  message: string;
  /** Byte offset into the table. */
  offset: number;
}

/** What each diagnostic says in general, for `--explain`. */
export const ACPI_DIAGNOSTICS: Readonly<Record<AcpiDiagnostic['code'], string>> = {
  E_ACPI_TRUNCATED: 'A structure lies behind the end of the table; what is there was read.',
  E_ACPI_SIGNATURE: 'The table has another signature than the one that was looked for.',
  E_ACPI_SOURCE: 'An error source is of a type that is not read, and so are those behind it.',
  W_ACPI_CHECKSUM: 'The bytes of the table do not sum up to 0; an operating system ignores such a table.',
  W_ACPI_COUNT: 'A count is not the number of structures that were found.',
  W_ACPI_TEXT: 'A text holds bytes that are not printable ASCII.',
};

/** What was read of a table: never throws, undefined only where nothing of it is there. */
export interface AcpiRead<T> {
  value: T | undefined;
  diagnostics: AcpiDiagnostic[];
}

/** @module GUIDs in their text form and in the mixed-endian byte form of EFI (UEFI 2.10 appendix A). */
import { CperError } from './error.ts';

/** Byte of the text form's hex digits for each byte on the wire: the first three groups are little endian. */
const ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15] as const;

/** The 16 bytes of a GUID text such as `a5bc1114-6f64-4ede-b863-3e83ed7c83b1`; throws {@link CperError} for other text. */
export function guidToBytes(text: string): Uint8Array {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text)) {
    throw new CperError('E_CPER_GUID', `not a GUID: ${text.slice(0, 64)}`, {
      hint: 'Write it as 8-4-4-4-12 hex digits.',
    });
  }
  const digits = text.replaceAll('-', '');
  return Uint8Array.from(ORDER, i => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** The text form, lower case, of the 16 bytes at `offset`; the caller has checked the length. */
export function guidFromBytes(bytes: Uint8Array, offset: number): string {
  const hex: string[] = [];
  ORDER.forEach((to, from) => {
    hex[to] = (bytes[offset + from] ?? 0).toString(16).padStart(2, '0');
  });
  const s = hex.join('');
  return `${s.slice(0, 8)}-${s.slice(8, 12)}-${s.slice(12, 16)}-${s.slice(16, 20)}-${s.slice(20)}`;
}

export const SECTION_MEMORY = 'a5bc1114-6f64-4ede-b863-3e83ed7c83b1';
export const SECTION_MEMORY2 = '61ec04fc-48e6-d813-25c9-8daa44750b12';
export const SECTION_PROC_GENERIC = '9876ccad-47b4-4bdb-b65e-16f193c4f3db';
export const SECTION_PROC_X86 = 'dc3ea0b0-a144-4797-b95b-53fa242b6e1d';
export const SECTION_PROC_ARM = 'e19e3d16-bc11-11e4-9caa-c2051d5d46b0';
export const SECTION_PCIE = 'd995e954-bbc1-430f-ad91-b44dcb3c6f35';
export const SECTION_FIRMWARE = '81212a96-09ed-4996-9471-8d729c8e69ed';
export const SECTION_CXL_PROTOCOL = '80b9efb4-52b5-4de3-a777-68784b771048';

/** Section types, UEFI 2.10 N.2.2 table "Section Type". */
export const SECTION_NAMES: Readonly<Record<string, string>> = {
  [SECTION_MEMORY]: 'memory error',
  [SECTION_MEMORY2]: 'memory error, extended',
  [SECTION_PROC_GENERIC]: 'generic processor error',
  [SECTION_PROC_X86]: 'IA-32/x64 processor error',
  [SECTION_PROC_ARM]: 'ARM processor error',
  [SECTION_PCIE]: 'PCIe error',
  [SECTION_FIRMWARE]: 'firmware error',
  [SECTION_CXL_PROTOCOL]: 'CXL protocol error',
};

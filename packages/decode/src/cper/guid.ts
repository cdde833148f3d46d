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

export const GUID_NULL = '00000000-0000-0000-0000-000000000000';

export const SECTION_MEMORY = 'a5bc1114-6f64-4ede-b863-3e83ed7c83b1';
export const SECTION_MEMORY2 = '61ec04fc-48e6-d813-25c9-8daa44750b12';
export const SECTION_PROC_GENERIC = '9876ccad-47b4-4bdb-b65e-16f193c4f3db';
export const SECTION_PROC_X86 = 'dc3ea0b0-a144-4797-b95b-53fa242b6e1d';
export const SECTION_PROC_ARM = 'e19e3d16-bc11-11e4-9caa-c2051d5d46b0';
export const SECTION_PCIE = 'd995e954-bbc1-430f-ad91-b44dcb3c6f35';
export const SECTION_FIRMWARE = '81212a96-09ed-4996-9471-8d729c8e69ed';
export const SECTION_CXL_PROTOCOL = '80b9efb4-52b5-4de3-a777-68784b771048';
export const SECTION_AMPERE = 'e8ed898d-df16-43cc-8ecc-54f060ef157f';
export const SECTION_NVIDIA_GRACE = '6d5244f2-2712-11ec-bea7-cb3fdb95c786';
export const SECTION_CXL_MEDIA = 'fbcd0a77-c260-417f-85a9-088b1621eba6';
export const SECTION_CXL_DRAM = '601dcbb3-9c06-4eab-b8af-4e9bfb5c9624';

const SECTION_CCIX = '91335ef6-ebfb-4478-a6a6-88b728cf75d7';

/**
 * Section types by name: UEFI 2.10 N.2.2 and the sections themselves; FRU memory poison is of UEFI 2.11 N.2.15, the
 * events are those of the CXL specification.
 */
export const SECTION_NAMES: Readonly<Record<string, string>> = {
  [SECTION_MEMORY]: 'memory error',
  [SECTION_MEMORY2]: 'memory error, extended',
  [SECTION_PROC_GENERIC]: 'generic processor error',
  [SECTION_PROC_X86]: 'IA-32/x64 processor error',
  [SECTION_PROC_ARM]: 'ARM processor error',
  [SECTION_PCIE]: 'PCIe error',
  [SECTION_FIRMWARE]: 'firmware error',
  [SECTION_CCIX]: 'CCIX error log',
  [SECTION_CXL_PROTOCOL]: 'CXL protocol error',
  '5e4706c1-5356-48c6-930b-52f2120a4458': 'bad memory of a part (FRU memory poison)',
  [SECTION_CXL_MEDIA]: 'CXL component event, general media',
  [SECTION_CXL_DRAM]: 'CXL component event, DRAM',
  'fe927475-dd59-4339-a586-79bab113b774': 'CXL component event, memory module',
  // Of vendors: what is public of them stands in vendor-sections.ts; the names are those of rasdaemon's readers.
  [SECTION_AMPERE]: 'Ampere processor error',
  [SECTION_NVIDIA_GRACE]: 'NVIDIA Grace error',
  '9068e568-6ca0-11f0-aeaf-159343591eac': 'NVIDIA Vera event',
  'bf32d4d5-b427-4025-8495-8a9e5d4030e4': 'Arm RAS registers',
  'c8b328a8-9917-4af6-9a13-2e08ab2e7586': 'HiSilicon error',
  '1f8161e1-55d6-41e6-bd10-7afd1dc5f7c5': 'HiSilicon Hip08 error, type 1',
  '45534ea6-ce23-4115-8535-e07ab3aef91d': 'HiSilicon Hip08 error, type 2',
  'b2889fc9-e7d7-4f9d-a867-af42e98be772': 'HiSilicon Hip08 PCIe error',
  'a6980811-16ea-4e4d-b936-fb00a23ff29c': 'Alibaba Yitian 710 error',
  'e429faf1-3cb7-11d4-bca7-0080c73c8881': 'Itanium processor error',
  'c5753963-3b84-4095-bf78-eddad3f9c9dd': 'PCI or PCI-X bus error',
  'eb5e4685-ca66-4769-b6a2-26068b001326': 'PCI component error',
  '5b51fef7-c79d-4434-8f1b-aa62de3e2c64': 'DMA remapping error',
  '71761d37-32b2-45cd-a7d0-b0fedd93e8cf': 'DMA remapping error, Intel VT-d',
  '036f84e1-7f37-428c-a79e-575fdfaa84ec': 'DMA remapping error, AMD IOMMU',
};

/** Notification types, UEFI 2.10 N.2.1.1: how the error was reported. */
export const NOTIFICATION_NAMES: Readonly<Record<string, string>> = {
  '2dce8bb1-bdd7-450e-b9ad-9cf4ebd4f890': 'corrected machine check (CMC)',
  '4e292f96-d843-4a55-a8c2-d481f27ebeee': 'corrected platform error (CPE)',
  'e8f56ffe-919c-4cc5-ba88-65abe14913bb': 'machine check exception (MCE)',
  'cf93c01f-1a16-4dfc-b8bc-9c4daf67c104': 'PCIe error',
  'cc5263e8-9308-454a-89d0-340bd39bc98e': 'INIT',
  '5bad89ff-b7e6-42c9-814a-cf2485d6e98a': 'non-maskable interrupt (NMI)',
  '3d61a466-ab40-409a-a698-f362d464b38f': 'boot error (BOOT)',
  '667dd791-c6b3-4c27-8a6b-0f8e722deb41': 'DMA remapping error (DMAr)',
  '9a78788a-bbe8-11e4-809e-67611e5d46b0': 'synchronous external abort (SEA)',
  '5c284c81-b0ae-4e87-a322-b04c85624323': 'SError interrupt (SEI)',
  '09a9d5ac-5204-4214-96e5-94992e752bcd': 'platform error interrupt (PEI)',
  '69293bc9-41df-49a3-b4bd-4fb0db3041f6': 'event of a CXL component',
};

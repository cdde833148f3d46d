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

export const SECTION_CXL_MODULE = 'fe927475-dd59-4339-a586-79bab113b774';
export const SECTION_CXL_SWITCH = '77cf9271-9c02-470b-9fe4-bc7b75f2da97';
export const SECTION_CXL_VIRTUAL_SWITCH = '40d26425-3396-4c4d-a5da-3d47263af425';
export const SECTION_CXL_MLD_PORT = '8dc44363-0c96-4710-b7bf-04bb99534c3f';
export const SECTION_FRU_POISON = '5e4706c1-5356-48c6-930b-52f2120a4458';
export const SECTION_PCI_BUS = 'c5753963-3b84-4095-bf78-eddad3f9c9dd';
export const SECTION_PCI_COMPONENT = 'eb5e4685-ca66-4769-b6a2-26068b001326';
export const SECTION_DMAR = '5b51fef7-c79d-4434-8f1b-aa62de3e2c64';
export const SECTION_DMAR_VTD = '71761d37-32b2-45cd-a7d0-b0fedd93e8cf';
export const SECTION_DMAR_AMD = '036f84e1-7f37-428c-a79e-575fdfaa84ec';
export const SECTION_ARM_RAS = 'bf32d4d5-b427-4025-8495-8a9e5d4030e4';
export const SECTION_AMPERE_BMC = '2826cc9f-448c-4c2b-86b6-a95394b7ef33';
export const SECTION_NVIDIA_EVENT = '9068e568-6ca0-11f0-aeaf-159343591eac';
export const SECTION_YITIAN = 'a6980811-16ea-4e4d-b936-fb00a23ff29c';
export const SECTION_HISI = 'c8b328a8-9917-4af6-9a13-2e08ab2e7586';
export const SECTION_HISI_TYPE1 = '1f8161e1-55d6-41e6-bd10-7afd1dc5f7c5';
export const SECTION_HISI_TYPE2 = '45534ea6-ce23-4115-8535-e07ab3aef91d';
export const SECTION_HISI_PCIE = 'b2889fc9-e7d7-4f9d-a867-af42e98be772';
export const SECTION_AMD_GPU = '32ac0c78-2623-48f6-81a2-ac691780551d';
export const SECTION_AMD_GPU_CRASH = '32ac0c78-2623-48f6-b0d0-7365725fd6ae';
export const SECTION_LINUX_MCE = 'fe08ffbe-95e4-4be7-bc73-4096044a38fc';
export const SECTION_XPF_MCA = '8a1e1d01-42f9-4557-9c33-565e5cc3f7e8';
export const SECTION_WHEA_ARM_RAS = 'e3ebf4a2-df50-4708-b2d7-0b29ec2f7aa9';
export const SECTION_WHEA_INTEL_MEMORY = 'e16edb28-6113-4263-a41d-e53f8de78751';
export const SECTION_WHEA_PMEM = '81687003-dbfd-4728-9ffd-f0904f97597d';
export const SECTION_WHEA_RECOVERY = 'c34832a1-02c3-4c52-a9f1-9f1d5d7723fc';
export const SECTION_WHEA_NMI = 'e71254e7-c1b9-4940-ab76-909703a4320f';
export const SECTION_WHEA_SEA = 'f5fe48a6-84ce-4c1e-aa64-20c9a53099f1';
export const SECTION_WHEA_SEI = 'f2a4a152-9c6d-4020-aecf-7695b389251b';
export const SECTION_WHEA_PCIE_SUMMARY = 'e96eca99-53e2-4f52-9be7-d2dbe9508ed0';
export const SECTION_WHEA_MEMORY_SUMMARY = '0e36c93e-ca15-4a83-ba8a-cbe80f7f0017';

export const SECTION_CCIX = '91335ef6-ebfb-4478-a6a6-88b728cf75d7';

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
  [SECTION_FRU_POISON]: 'bad memory of a part (FRU memory poison)',
  [SECTION_CXL_MEDIA]: 'CXL component event, general media',
  [SECTION_CXL_DRAM]: 'CXL component event, DRAM',
  [SECTION_CXL_MODULE]: 'CXL component event, memory module',
  [SECTION_CXL_SWITCH]: 'CXL component event, physical switch',
  [SECTION_CXL_VIRTUAL_SWITCH]: 'CXL component event, virtual switch',
  [SECTION_CXL_MLD_PORT]: 'CXL component event, port of several logical devices',
  // Of vendors: what is public of them stands in tables.ts; the names are those of rasdaemon's readers.
  [SECTION_AMPERE]: 'Ampere processor error',
  [SECTION_NVIDIA_GRACE]: 'NVIDIA Grace error',
  [SECTION_AMPERE_BMC]: 'Ampere error of a BMC',
  [SECTION_NVIDIA_EVENT]: 'NVIDIA Vera event',
  [SECTION_AMD_GPU]: 'AMD accelerator error',
  [SECTION_AMD_GPU_CRASH]: 'AMD accelerator error, fatal or at boot',
  'a2860cc1-8987-4b7c-b86a-d508b176ba70': 'AMD SMN error',
  [SECTION_ARM_RAS]: 'Arm RAS registers',
  [SECTION_HISI]: 'HiSilicon error',
  [SECTION_HISI_TYPE1]: 'HiSilicon Hip08 error, type 1',
  [SECTION_HISI_TYPE2]: 'HiSilicon Hip08 error, type 2',
  [SECTION_HISI_PCIE]: 'HiSilicon Hip08 PCIe error',
  [SECTION_YITIAN]: 'Alibaba Yitian 710 error',
  'e429faf1-3cb7-11d4-bca7-0080c73c8881': 'Itanium processor error',
  [SECTION_PCI_BUS]: 'PCI or PCI-X bus error',
  [SECTION_PCI_COMPONENT]: 'PCI component error',
  [SECTION_DMAR]: 'DMA remapping error',
  [SECTION_DMAR_VTD]: 'DMA remapping error, Intel VT-d',
  [SECTION_DMAR_AMD]: 'DMA remapping error, AMD IOMMU',
  [SECTION_LINUX_MCE]: 'machine check saved by Linux',
  // Of Windows: cperguid.h of the WDK.
  [SECTION_XPF_MCA]: 'machine check (Windows)',
  [SECTION_WHEA_ARM_RAS]: 'Arm RAS node (Windows)',
  [SECTION_WHEA_INTEL_MEMORY]: 'memory error, extended for Intel (Windows)',
  [SECTION_WHEA_PMEM]: 'persistent memory error (Windows)',
  [SECTION_WHEA_RECOVERY]: 'what the recovery did (Windows)',
  [SECTION_WHEA_NMI]: 'non-maskable interrupt (Windows)',
  [SECTION_WHEA_SEA]: 'synchronous external abort (Windows)',
  [SECTION_WHEA_SEI]: 'SError interrupt (Windows)',
  [SECTION_WHEA_PCIE_SUMMARY]: 'summary of corrected PCIe errors (Windows)',
  [SECTION_WHEA_MEMORY_SUMMARY]: 'summary of corrected memory errors (Windows)',
  'e71254e8-c1b9-4940-ab76-909703a4320f': 'generic error (Windows)',
  'e71254e9-c1b9-4940-ab76-909703a4320f': 'error packet (Windows)',
  '1c15b445-9b06-4667-ac25-33c056b88803': 'MSR dump (Windows)',
  'ec49534b-30e7-4358-972f-eca6958fae3b': 'downstream port containment (Windows)',
  'dd060800-f6e1-4204-ac27-c4bca9568402': 'PCI recovery (Windows)',
  '85183a8b-9c41-429c-939c-5c3c087ca280': 'telemetry of Project Mu firmware',
  '990b31e9-541a-4db0-a42f-837d344f6923': 'summary of a device error (Windows)',
  '6f3380d1-6eb0-497f-a578-4d4c65a71617': 'Itanium SAL record',
};

/** Who made a record: Windows (cperguid.h of the WDK), and Linux for the machine check of a panic (mce/apei.c). */
export const CREATOR_WINDOWS = 'cf07c4bd-b789-4e18-b3c4-1f732cb57131';
const CREATOR_WINDOWS_DRIVER = '57217c8d-5e66-44fb-8033-9b74cacedf5b';
const CREATOR_LINUX_MCE = '75a574e3-5052-4b29-8a8e-be2c6490b89d';
export const CREATOR_NAMES: Readonly<Record<string, string>> = {
  [CREATOR_WINDOWS]: 'Windows',
  [CREATOR_LINUX_MCE]: 'Linux, before it panicked',
  [CREATOR_WINDOWS_DRIVER]: 'a device driver of Windows',
};
/** Whether Windows wrote the record, by itself or for one of its drivers: in its own revision, with its own form of a time. */
export const isOfWindows = (creatorId: string): boolean =>
  creatorId === CREATOR_WINDOWS || creatorId === CREATOR_WINDOWS_DRIVER;

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
  // Of Windows: cperguid.h of the WDK.
  '487565ba-6494-4367-95ca-4eff893522f6': 'BMC',
  'e9d59197-94ee-4a4f-8ad8-9b7d8bd93d2e': 'system control interrupt (SCI)',
  'fe84086e-b557-43cf-ac1b-17982e078470': 'external interrupt',
  '0033f803-2e70-4e88-992c-6f26daf3db7a': 'device driver',
  '919448b2-3739-4b7f-a8f1-e0062805c2a3': 'corrected machine check interrupt (CMCI)',
  '3e62a467-ab40-409a-a698-f362d464b38f': 'generic error source',
};

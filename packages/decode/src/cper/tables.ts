/** @module Every section that is read by a table. A new one has its line here, its kind in record.ts, and its GUID in guid.ts. */
import { ARM_RAS, WHEA_ARM_RAS } from './arm-ras.ts';
import { CCIX } from './ccix.ts';
import { CXL_DRAM, CXL_MEDIA, CXL_MODULE, CXL_SWITCHES } from './cxl-event.ts';
import { CXL_PROTOCOL } from './cxl-protocol.ts';
import { DMAR, DMAR_IOMMU, DMAR_VTD } from './dmar.ts';
import { FRU_POISON } from './fru-poison.ts';
import { HISILICON } from './hisilicon.ts';
import { LINUX_MCE } from './linux-mce.ts';
import { PCI_BUS, PCI_COMPONENT } from './pci-bus.ts';
import type { CperBody, CperTabled } from './record.ts';
import type { NamedRegister, Tabled } from './tabled.ts';
import { VENDORS } from './vendor-sections.ts';
import { WHEA } from './whea.ts';
import { XPF_MCA } from './xpf-mca.ts';

export const TABLED: readonly Tabled[] = [
  PCI_BUS,
  PCI_COMPONENT,
  DMAR,
  DMAR_VTD,
  DMAR_IOMMU,
  CCIX,
  CXL_PROTOCOL,
  CXL_MEDIA,
  CXL_DRAM,
  CXL_MODULE,
  ...CXL_SWITCHES,
  FRU_POISON,
  ARM_RAS,
  ...VENDORS,
  ...HISILICON,
  LINUX_MCE,
  XPF_MCA,
  WHEA_ARM_RAS,
  ...WHEA,
];

const BY_KIND: ReadonlyMap<string, Tabled> = new Map(TABLED.map(t => [t.kind, t]));

/** The table of a body, where it has one. */
export const tableOf = (body: CperBody): Tabled | undefined => BY_KIND.get(body.kind);

/** The registers that a table names in a body; none for bodies without a table. */
export const registersOf = (body: CperBody): NamedRegister[] =>
  (isTabled(body) ? BY_KIND.get(body.kind)?.registers?.(body) : undefined) ?? [];

/** The physical addresses that a table names in a body. */
export const addressesOf = (body: CperBody): bigint[] =>
  (isTabled(body) ? BY_KIND.get(body.kind)?.addresses?.(body) : undefined) ?? [];

/** Whether a body is read by a table. */
export const isTabled = (body: CperBody): body is CperTabled => BY_KIND.has(body.kind);

/**
 * @module The manuals behind the tables and findings of the pure rooms, and the edition each is cited from: stated here
 * and nowhere else. Sections are cited by number only where the number belongs to that edition; elsewhere by title,
 * which outlives renumbering.
 */

/** Abbreviation that a citation begins with → title and edition. */
export const MANUALS: Readonly<Record<string, string>> = {
  SDM: "Intel 64 and IA-32 Architectures Software Developer's Manual, volumes 2A, 3A and 3B; by title, as chapters were renumbered after 2022",
  APM: "AMD64 Architecture Programmer's Manual, volumes 2 (24593) and 3 (24594); by title",
  PPR: 'AMD Processor Programming Reference of the family and model named in the citation, family 17h and later; by register',
  BKDG: "AMD BIOS and Kernel Developer's Guide of family 10h (31116) and 15h (42301); by register",
  DDI: 'Arm Architecture Reference Manual for A-profile, DDI 0487 issues K.a and L.a (later issues number D24.2 otherwise)',
  RAS: 'Arm Reliability, Availability and Serviceability (RAS) System Architecture, DDI 0587; by register',
  UEFI: 'Unified Extensible Firmware Interface Specification 2.10, appendix N; where another version differs it is named',
  PCIe: 'PCI Express Base Specification 6.0; by section',
  CXL: 'Compute Express Link Specification 3.1; by section',
  'VT-d': 'Intel Virtualization Technology for Directed I/O, architecture specification 4.1; by section',
  'AMD-Vi': 'AMD I/O Virtualization Technology (IOMMU) Specification, 48882; by section',
  ACPI: 'Advanced Configuration and Power Interface Specification 6.5, chapter 18',
};

/**
 * The smallest guest that takes machine checks: a boot sector, assembled by hand, that sets CR4.MCE, reports readiness
 * through the pvpanic device (event GUEST_CRASHLOADED) and halts. SeaBIOS starts it in well under a second.
 * Encodings: Intel SDM vol. 2, in 16-bit mode. Port 0x505, value 2: docs/specs/pvpanic.rst of QEMU.
 */

export type BootSectorOptions = {
  /** MSRs to write 0 to, e.g. 0x17b (MCG_CTL). */
  clearMsrs?: number[];
  /** Turn on paging with only the first 4 MiB mapped. */
  paging?: boolean;
};

const SECTOR_BYTES = 512;

const enableMachineChecks = `
  fa                          ; cli
  0f 20 e0                    ; mov eax, cr4
  66 83 c8 50                 ; or  eax, MCE | PSE
  0f 22 e0                    ; mov cr4, eax`;

const clearMsr = (msr: number): string => `
  66 b9 ${littleEndian32(msr)} ; mov ecx, msr
  66 31 c0                    ; xor eax, eax
  66 31 d2                    ; xor edx, edx
  0f 30                       ; wrmsr`;

/** One page directory at 0x8000, in memory nothing has written to, with one 4 MiB page (present, writable, PS). */
const enablePaging = `
  31 c0                       ; xor ax, ax
  8e d8                       ; mov ds, ax
  66 c7 06 00 80 83 00 00 00  ; mov dword [0x8000], 0x83
  66 b8 00 80 00 00           ; mov eax, 0x8000
  0f 22 d8                    ; mov cr3, eax
  0f 20 c0                    ; mov eax, cr0
  66 0d 01 00 00 80           ; or  eax, PG | PE
  0f 22 c0                    ; mov cr0, eax`;

/** The firmware's handler of vector 18 returns to the jump, and MCIP stays set because nobody clears it. */
const reportAndHalt = `
  ba 05 05                    ; mov dx, 0x505
  b0 02                       ; mov al, 2
  ee                          ; out dx, al
  f4                          ; hlt
  eb fd                       ; jmp to the hlt`;

/** The 512 bytes of the sector. Start the machine with `-device pvpanic` and the sector as a raw disk. */
export function bootSector(options: BootSectorOptions = {}): Uint8Array {
  const code = [
    enableMachineChecks,
    ...(options.clearMsrs ?? []).map(clearMsr),
    options.paging ? enablePaging : '',
    reportAndHalt,
  ].flatMap(assemble);
  const sector = new Uint8Array(SECTOR_BYTES);
  sector.set(code);
  sector.set([0x55, 0xaa], SECTOR_BYTES - 2);
  return sector;
}

/** Reads hex bytes, one instruction a line; `;` starts a comment. */
function assemble(listing: string): number[] {
  const bytes = listing.replaceAll(/;.*/g, '').match(/[0-9a-f]{2}/g) ?? [];
  return bytes.map(byte => Number.parseInt(byte, 16));
}

function littleEndian32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(' ');
}

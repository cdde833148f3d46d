/** A part of guest memory that is one piece in the guest and in QEMU's process. */
export interface RamPiece {
  gpa: bigint;
  hva: bigint;
  bytes: bigint;
}

/** Machine checks as systems save them: Linux's `struct mce`, and Windows' section. Values of our own. */

/** Intel Cascade Lake, bank 7: an uncorrected read error on channel 1. */
export function linuxMce(): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(128));
  view.setBigUint64(0, 0xbe00_0000_0101_0091n, true);
  view.setBigUint64(8, 0x2020_0000_7886n, true);
  view.setBigUint64(16, 0x3_a5a2_ef00n, true);
  view.setBigUint64(24, 4n, true);
  view.setBigUint64(40, 0x1122_3344_5566n, true);
  view.setBigUint64(48, 1_767_225_600n, true);
  view.setUint32(60, 0x5_0657, true);
  view.setUint8(65, 7);
  view.setUint8(66, 5);
  view.setUint8(67, 1);
  view.setUint32(68, 5, true);
  view.setUint32(76, 10, true);
  view.setBigUint64(80, 0x7000_c14n, true);
  view.setBigUint64(104, 0x1234n, true);
  view.setUint32(112, 0x500_3604, true);
  return new Uint8Array(view.buffer);
}

/** AMD Zen, bank 17: a corrected DRAM error; version 4 has another one of bank 18. */
export function xpfMca(version: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(1192));
  view.setUint32(0, version, true);
  view.setUint32(4, 2, true);
  view.setUint32(16, 3, true);
  view.setBigUint64(20, 0n, true);
  view.setUint32(36, 17, true);
  view.setBigUint64(40, 0x9c20_4000_0000_011bn, true);
  view.setBigUint64(48, 0x1_2345_6780n, true);
  view.setBigUint64(56, 0xd01a_0ffe_0100_0000n, true);
  view.setUint32(64, 10, true);
  view.setUint32(68, 6, true);
  view.setBigUint64(72, 0x9600_0502_00n, true);
  view.setBigUint64(80, 0x5d00_0a80_0800n, true);
  if (version < 4) return new Uint8Array(view.buffer);
  view.setUint32(292, 1, true);
  view.setUint32(296, 18, true);
  view.setBigUint64(424, 0x9c20_4000_0000_011bn, true);
  return new Uint8Array(view.buffer);
}

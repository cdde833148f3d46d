/**
 * Records of dom0's /dev/mcelog: `struct xen_mce`, the interface between Linux (drivers/xen/mcelog.c) and a reader of
 * machine checks that Xen forwarded. Layout: Linux include/xen/interface/xen-mca.h, little endian.
 */
import type { X86McaRecord } from './record.ts';
import { MCI_STATUS_INTEL } from './registers.ts';

/** Bytes of one record. */
export const XEN_MCE_BYTES = 112;

/** Offsets of the fields that are read. */
const OFFSET = {
  status: 0,
  misc: 8,
  addr: 16,
  mcgStatus: 24,
  tsc: 40,
  vendor: 56,
  cpuid: 60,
  bank: 65,
  finished: 67,
  extcpu: 68,
  mcgCap: 80,
  synd: 88,
  ipid: 96,
} as const;

const { MISCV, ADDRV } = MCI_STATUS_INTEL.masks;
/** `X86_VENDOR_AMD` of the kernel, as CPU vendors are numbered in this interface. */
const VENDOR_AMD = 2;
const VENDOR_INTEL = 0;

/** Decodes whole records; a rest that is shorter than one record, and unfinished records, are left out. */
export function decodeXenMcelog(bytes: Uint8Array): X86McaRecord[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: X86McaRecord[] = [];
  for (let at = 0; at + XEN_MCE_BYTES <= bytes.length; at += XEN_MCE_BYTES) {
    const u64 = (field: keyof typeof OFFSET): bigint => view.getBigUint64(at + OFFSET[field], true);
    if (view.getUint8(at + OFFSET.finished) === 0) continue;
    const status = u64('status');
    const vendor = view.getUint8(at + OFFSET.vendor);
    const tsc = u64('tsc');
    const synd = u64('synd');
    const ipid = u64('ipid');
    records.push({
      kind: 'x86-mca',
      ...(vendor === VENDOR_INTEL
        ? { vendor: 'intel' as const }
        : vendor === VENDOR_AMD
          ? { vendor: 'amd' as const }
          : {}),
      cpu: view.getUint32(at + OFFSET.extcpu, true),
      bank: view.getUint8(at + OFFSET.bank),
      status,
      mcgStatus: u64('mcgStatus'),
      mcgCap: u64('mcgCap'),
      ...((status & ADDRV) === 0n ? {} : { addr: u64('addr') }),
      ...((status & MISCV) === 0n ? {} : { misc: u64('misc') }),
      ...(tsc === 0n ? {} : { tsc }),
      ...(synd === 0n ? {} : { synd }),
      ...(ipid === 0n ? {} : { ipid }),
      cpuid: BigInt(view.getUint32(at + OFFSET.cpuid, true)),
    });
  }
  return records;
}

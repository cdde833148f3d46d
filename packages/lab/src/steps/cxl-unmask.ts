import { z } from 'zod';
import {
  CXL_CAPABILITIES,
  CXL_CAPABILITY,
  DVSEC_HEADER_1,
  DVSEC_HEADER_2,
  EXTENDED_CAPABILITY,
  REGISTER_BLOCK,
} from '../capability-headers.ts';
import { LabError } from '../errors.ts';
import type { Session } from '../session.ts';
import { defineStep } from './step.ts';

/** The PCI function of the device: the parent of its memory device; above it the port. */
const DEVICE = '/sys/bus/cxl/devices/mem0/..';
const PORT = `${DEVICE}/..`;

/** PCIe 6.0, 7.9: the extended capabilities begin here. */
const EXTENDED = 0x100;
const CAP_AER = 0x0001n;
const CAP_DVSEC = 0x0023n;
/** AER capability (PCIe 6.0, 7.8.4): masks of uncorrectable and of correctable errors. */
const AER_UNCORRECTABLE_MASK = 0x08;
const AER_CORRECTABLE_MASK = 0x14;
/** CXL 3.1, 8.1.9, register locator: vendor 1E98h, DVSEC 8; blocks of two words from 0Ch on, component registers have id 1. */
const CXL_VENDOR = 0x1e98n;
const REGISTER_LOCATOR = 8n;
const COMPONENT_REGISTERS = 1n;
const BLOCK_UNIT = 0x1_0000;
/** CXL 3.1, 8.2.4: the capabilities of CXL.cache and CXL.mem, 4 KiB into the component registers; RAS is id 2. */
const CACHE_MEM = 0x1000;
const RAS = 2n;
const RAS_UNCORRECTABLE_MASK = 0x04;
const RAS_CORRECTABLE_MASK = 0x10;

/** One register. */
async function word(session: Session, path: string, offset: number, value?: number): Promise<bigint> {
  const how = /resource\d$/.test(path) ? 'map' : 'file';
  const reply = await session.agent.call('register', { path, offset, how, ...(value === undefined ? {} : { value }) });
  return BigInt(String(reply.word));
}

/** The offsets of the extended capabilities with this id. */
async function capabilities(session: Session, path: string, id: bigint): Promise<number[]> {
  const found: number[] = [];
  for (let at = EXTENDED, left = 64; at >= EXTENDED && left > 0; left--) {
    const header = EXTENDED_CAPABILITY.read(await word(session, path, at));
    if (header.ID === id) found.push(at);
    at = Number(header.NEXT);
  }
  return found;
}

async function unmaskAer(session: Session, path: string): Promise<void> {
  for (const at of await capabilities(session, path, CAP_AER)) {
    await word(session, path, at + AER_UNCORRECTABLE_MASK, 0);
    await word(session, path, at + AER_CORRECTABLE_MASK, 0);
  }
}

/** Where the component registers are: the BAR, and the offset in it. */
async function componentRegisters(
  session: Session,
  path: string,
): Promise<{ bar: number; offset: number } | undefined> {
  for (const at of await capabilities(session, path, CAP_DVSEC)) {
    const { VENDOR, LENGTH } = DVSEC_HEADER_1.read(await word(session, path, at + 4));
    const { ID } = DVSEC_HEADER_2.read(await word(session, path, at + 8));
    if (VENDOR !== CXL_VENDOR || ID !== REGISTER_LOCATOR) continue;
    for (let entry = at + 0x0c; entry + 8 <= at + Number(LENGTH); entry += 8) {
      const { BLOCK, BAR, OFFSET } = REGISTER_BLOCK.read(await word(session, path, entry));
      if (BLOCK === COMPONENT_REGISTERS) return { bar: Number(BAR), offset: Number(OFFSET) * BLOCK_UNIT };
    }
  }
  return undefined;
}

export const cxlUnmask = defineStep({
  name: 'cxl-unmask',
  schema: z
    .strictObject({})
    .describe(
      'let the CXL device and its port report protocol errors: clear the masks of AER and of the RAS capability (needs iomem=relaxed)',
    ),
  means: () => ({ is: 'cxl-unmasked' }),
  run: async session => {
    for (const function_ of [DEVICE, PORT]) await unmaskAer(session, `${function_}/config`);
    const found = await componentRegisters(session, `${DEVICE}/config`);
    if (found === undefined) throw new LabError('E_LAB_CXL', 'the CXL device has no component registers');
    const path = `${DEVICE}/resource${found.bar}`;
    const start = found.offset + CACHE_MEM;
    const { COUNT } = CXL_CAPABILITIES.read(await word(session, path, start));
    for (let i = 1; i <= Number(COUNT); i++) {
      const { ID, POINTER } = CXL_CAPABILITY.read(await word(session, path, start + 4 * i));
      if (ID !== RAS) continue;
      const ras = start + Number(POINTER);
      await word(session, path, ras + RAS_UNCORRECTABLE_MASK, 0);
      await word(session, path, ras + RAS_CORRECTABLE_MASK, 0);
      return;
    }
    throw new LabError('E_LAB_CXL', 'the CXL device has no RAS capability');
  },
});

import { z } from 'zod';
import { addressOf, pfnOf } from '@syndrome/decode/registers/address.ts';
import { PAGEMAP } from '@syndrome/decode/registers/linux-pages.ts';
import { LabError } from '../errors.ts';
import { ident } from './arguments.ts';
import { agentOf } from './deed.ts';
import { defineStep } from './step.ts';

/** Bytes of an entry of /proc/PID/pagemap. */
const ENTRY = 8;

/** The frames of the pages that are there. */
function framesOf(entries: Buffer): bigint[] {
  const all = Array.from({ length: Math.floor(entries.length / ENTRY) }, (_, i) =>
    PAGEMAP.read(entries.readBigUInt64LE(i * ENTRY)),
  );
  return all.flatMap(({ PRESENT, PFN }) => (PRESENT && PFN !== 0n ? [PFN] : []));
}

export const vmmMemory = defineStep({
  name: 'vmm-memory',
  schema: z
    .strictObject({ as: ident.describe('saved as $as: a physical address in the host layer') })
    .describe("find a page that is the VMM's own, no memory of its guest: one in the middle of its heap"),
  saves: ({ as }) => [as],
  means: ({ as }) => ({ is: 'vmm-own', as }),
  run: async (session, { as }) => {
    const host = agentOf(session, 'host');
    const { data } = await host.call('ps', {});
    const pid = data.map(line => /^proc=vmm pid=(\d+) /.exec(line)?.[1]).find(found => found !== undefined);
    if (pid === undefined) throw new LabError('E_LAB_PAGE', 'the host layer runs no VMM');
    const maps = await host.readText(`/proc/${pid}/maps`, { max: 262_144 });
    const heap = /^([0-9a-f]+)-([0-9a-f]+) .*\[heap\]$/m.exec(maps);
    if (heap === null) throw new LabError('E_LAB_PAGE', `the VMM (process ${pid}) has no heap`);
    const [from = 0n, to = 0n] = heap.slice(1).map(address => pfnOf(BigInt(`0x${address}`)) as bigint);
    const place = { offset: from * BigInt(ENTRY), max: Number(to - from) * ENTRY };
    const frames = framesOf(await host.readBytes(`/proc/${pid}/pagemap`, place));
    // At its end the allocator works; in its middle lies what was allocated long ago.
    const frame = frames[Math.floor(frames.length / 2)];
    if (frame === undefined)
      throw new LabError('E_LAB_PAGE', `the VMM (process ${pid}) has no page of its heap in memory`);
    session.save(as, addressOf(frame));
  },
});

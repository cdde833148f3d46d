import { z } from 'zod';
import { LabError } from '../errors.ts';
import type { Session } from '../session.ts';
import { ident } from './arguments.ts';
import { defineStep } from './step.ts';

const DEVICES = '/sys/bus/cxl/devices';
/** Of the emulated machine: the root decoder is the window of the host, and there is one device. */
const ROOT = `${DEVICES}/decoder0.0`;
const MEMORY = `${DEVICES}/mem0`;
/** Emulated CPUs write the memory map of the new memory as slowly as registers. */
const SLOW = { deadlineMs: 120_000 };
const APPEARS_NS = 60e9;

async function text(session: Session, path: string): Promise<string> {
  return (await session.agent.readText(path)).trim();
}

/** Asks again until Linux shows it: it binds drivers behind the back of who loaded or configured them. */
async function shown<T>(session: Session, what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = session.recorder.now() + APPEARS_NS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (session.recorder.now() > deadline) {
      throw new LabError('E_LAB_CXL', `Linux did not show ${what} within ${APPEARS_NS / 1e9} s`);
    }
    await session.nextEvent(500, event => event.name === 'guest.panic');
  }
}

/** The decoder of the device: `decoder2.0` of the endpoint whose device is mem0. */
async function endpointDecoder(session: Session): Promise<string | undefined> {
  for (let port = 1; port <= 8; port++) {
    const name = `decoder${port}.0`;
    const type = await text(session, `${DEVICES}/${name}/devtype`).catch(() => undefined);
    if (type === 'cxl_decoder_endpoint') return name;
  }
  return undefined;
}

export const cxlRegion = defineStep({
  name: 'cxl-region',
  schema: z
    .strictObject({ as: ident.describe('saved as $as: the first physical address of the region') })
    .describe('make a region of all memory of the CXL device and use it as system RAM, a NUMA node of its own'),
  saves: ({ as }) => [as],
  run: async (session, { as }) => {
    const write = (path: string, value: string) => session.agent.call('write', { path, value }, SLOW);
    const decoder = await shown(session, 'the decoder of the CXL device', () => endpointDecoder(session));
    const size = await text(session, `${MEMORY}/ram/size`);
    const region = await text(session, `${ROOT}/create_ram_region`);
    await write(`${ROOT}/create_ram_region`, region);
    const folder = `${DEVICES}/${region}`;
    await write(`${folder}/interleave_granularity`, '256');
    await write(`${folder}/interleave_ways`, '1');
    await write(`${DEVICES}/${decoder}/mode`, 'ram');
    await write(`${DEVICES}/${decoder}/dpa_size`, size);
    await write(`${folder}/size`, size);
    await write(`${folder}/target0`, decoder);
    await write(`${folder}/commit`, '1');
    await write('/sys/bus/cxl/drivers/cxl_region/bind', region);
    const base = BigInt(await text(session, `${folder}/resource`));
    await onlineBlocks(session, base, BigInt(size));
    session.save(as, base);
  },
});

/** Waits until the blocks of memory of a range are on line, and puts them there where Linux leaves that to the administrator. */
async function onlineBlocks(session: Session, base: bigint, size: bigint): Promise<void> {
  const memory = '/sys/devices/system/memory';
  const block = BigInt(`0x${await text(session, `${memory}/block_size_bytes`)}`);
  const byHand = (await text(session, `${memory}/auto_online_blocks`)) === 'offline';
  for (let at = base / block; at < (base + size) / block; at++) {
    const file = `${memory}/memory${at}/state`;
    const state = () => text(session, file).catch(() => undefined);
    if (byHand && (await shown(session, file, state)) === 'offline') {
      await session.agent.call('write', { path: file, value: 'online_movable' }, SLOW);
    }
    await shown(session, `the memory of the region (${file})`, async () => (await state()) === 'online' || undefined);
  }
}

/** Fuzz targets of the room `libvirt`: what a daemon may send, in any pieces, and definitions that are damaged. */
import { CALLS, readError, writeDomain } from '@syndrome/qemu/libvirt/calls.ts';
import { readDefinition, withoutSecrets } from '@syndrome/qemu/libvirt/definition.ts';
import { LibvirtDefinitionError, LibvirtProtocolError } from '@syndrome/qemu/libvirt/errors.ts';
import { EVENTS, readEvent } from '@syndrome/qemu/libvirt/events.ts';
import { encodeMessage, type Message, MessageSplitter, STATUSES, TYPES } from '@syndrome/qemu/libvirt/framing.ts';
import { XdrReader, XdrWriter } from '@syndrome/qemu/libvirt/xdr.ts';
import type { Chance } from '../chance.ts';
import { spoiled } from './inputs.ts';
import { anyText, chunks, spoiledText } from './junk.ts';
import { attempt, differences } from './oracles.ts';
import type { Target } from './target.ts';

function anyMessage(chance: Chance): Message {
  return {
    header: {
      program: chance.u32(),
      version: chance.below(3),
      procedure: chance.u32() - 2 ** 31,
      type: chance.pick(TYPES),
      serial: chance.u32(),
      status: chance.pick(STATUSES),
    },
    body: chance.bytes(chance.below(60)),
  };
}

const plain = ({ header, body }: Message): unknown => ({ header, body: [...body] });

const FRAMING: Target = {
  name: 'libvirt:framing',
  holds: 'the messages that were written, in any pieces; damage gives messages or a protocol error, within a bound',
  weight: 16,
  open: () => chance => {
    const messages = Array.from({ length: chance.below(5) }, () => anyMessage(chance));
    const stream = new Uint8Array(Buffer.concat(messages.map(encodeMessage)));
    const splitter = new MessageSplitter();
    const got = chunks(chance, stream).flatMap(chunk => [...splitter.push(chunk)]);
    const wrong = differences('messages', got.map(plain), messages.map(plain));
    const damaged = spoiled(chance, stream, [stream]);
    const other = new MessageSplitter(chance.pick([24, 64, 4096]));
    const taken = attempt(() => chunks(chance, damaged).flatMap(c => [...other.push(c)]), [LibvirtProtocolError]);
    return [...wrong, ...taken.wrong];
  },
};

/** An answer, an error or an event that could be, mostly. */
function anyBody(chance: Chance): Uint8Array {
  const w = new XdrWriter();
  for (let n = chance.below(8); n > 0; n--) {
    switch (chance.below(3)) {
      case 0:
        writeDomain(w, {
          name: anyText(chance),
          uuid: '83f1535f-99ab-4bf4-89d0-2dfd85d3e3f7',
          id: chance.below(9) - 1,
        });
        break;
      case 1:
        w.string(anyText(chance));
        break;
      default:
        w.int(chance.oneIn(4) ? chance.u32() - 2 ** 31 : chance.below(5));
    }
  }
  return w.bytes();
}

const READERS: readonly ((r: XdrReader) => unknown)[] = [
  readError,
  ...Object.values(CALLS).map(c => (r: XdrReader) => (c.read as (r: XdrReader) => unknown)(r)),
  ...EVENTS.map(
    ({ procedure }) =>
      (r: XdrReader) =>
        readEvent(procedure, r),
  ),
];

const BODIES: Target = {
  name: 'libvirt:bodies',
  holds: 'answers, errors and events of any bytes: a value, or a protocol error',
  weight: 16,
  open: () => chance => {
    const body = anyBody(chance);
    const bytes = chance.oneIn(2) ? body : spoiled(chance, body, [body]);
    const reader = chance.pick(READERS);
    return attempt(() => reader(new XdrReader(bytes)), [LibvirtProtocolError]).wrong;
  },
};

const DOMAINS = [
  `<domain type='kvm'><name>t1</name><uuid>83f1535f-99ab-4bf4-89d0-2dfd85d3e3f7</uuid><memory unit='KiB'>4</memory></domain>`,
  `<?xml version="1.0"?><domain><name>a&amp;b</name><!-- <x> --><uuid>u</uuid><memory>1</memory><on_crash>preserve</on_crash><cpu mode="host-passthrough"/><metadata><s:vm xmlns:s="urn:x" act="yes"/></metadata></domain>`,
  `<domain><name>n</name><uuid>u</uuid><memory>1</memory><devices><disk><source file='/a'/></disk><graphics passwd='hush'/></devices><qemu:commandline><qemu:arg value='secret,data=hush'/></qemu:commandline></domain>`,
];

const DEFINITION: Target = {
  name: 'libvirt:definition',
  holds: 'damaged definitions: facts and a text without secrets, or a definition error',
  weight: 12,
  open: () => chance => {
    const text = spoiledText(chance, chance.pick(DOMAINS), DOMAINS);
    const { wrong } = attempt(() => readDefinition(text), [LibvirtDefinitionError]);
    const { value: clean, wrong: thrown } = attempt(() => withoutSecrets(text), [LibvirtDefinitionError]);
    wrong.push(...thrown);
    const once = clean?.definition;
    if (once !== undefined)
      wrong.push(...differences('cleaned once and twice', withoutSecrets(once), { definition: once, cut: [] }));
    return wrong;
  },
};

export const LIBVIRT: readonly Target[] = [FRAMING, BODIES, DEFINITION];

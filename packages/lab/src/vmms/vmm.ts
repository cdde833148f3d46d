import type { z } from 'zod';
import type { EventName } from '@syndrome/decode/events/catalog.ts';
import type { LogEvent } from '@syndrome/decode/events/event.ts';
import type { EventReader } from '@syndrome/decode/text/event-reader.ts';
import type { Channel } from '../machine/channels.ts';
import type { InnerProgram } from '../machine/images.ts';
import type { PartChoices, SpecialPart } from '../part-choices.ts';
import type { QemuPart } from '../supply/qemu.ts';
import type { Supply } from '../supply/supply.ts';

/** The guest of a host layer, as a VMM is told of it. */
export interface VmmGuest {
  /** -cpu model, where the VMM has models. */
  cpu?: string;
  cpus: number;
  /** MiB */
  memory: number;
  /** Its memory lies in huge pages of the host, of this size. */
  hugetlb?: '2m' | '1g' | undefined;
  /** Added to the kernel command line. */
  append: string;
}

/** The program of a VMM, for the initramfs of the host layer. */
interface VmmProgram extends InnerProgram {
  /** Its version, for the header of the trace. */
  parts: Record<string, string>;
}

/** Where the host layer keeps what its guest is started with. */
export const GUEST_FILES = { kernel: '/run/guest-kernel', initrd: '/run/guest-initrd' } as const;

/**
 * A VMM inside a host layer: what its program is made of, how it is started, what it prints and how it is controlled. The
 * VMM of a machine without a host layer is the outer QEMU, which the lab starts itself.
 */
export interface Vmm<Guest extends VmmGuest = VmmGuest, Settings = unknown> {
  readonly name: string;
  /** What a scenario may say of it, where it may say anything. */
  readonly settings?: z.ZodType<Settings>;
  /** Its lines to the lab: ports of the host layer in this order. `console`, `agent` and `stderr` are those of every VMM. */
  readonly channels: readonly Channel[];
  /** What the ports are: plain ones (`/dev/vport0pN`), or terminals (`/dev/hvcN`), which can be read without a thread for each. */
  readonly port: 'virtserialport' | 'virtconsole';
  /** How it is controlled: by QMP on the channel `qmp`, or by requests of its own on `control`, a JSON object a line. */
  readonly control: 'qmp' | 'requests';
  /** What it prints, beside the console of its guest, and who reads it. */
  readonly prints: readonly {
    channel: 'stderr' | 'events';
    reader(): EventReader;
  }[];
  /** The exit code that it has announced with this event, if it has: an exit with that code is then no death of the VMM. */
  announcedExit(said: LogEvent): number | undefined;
  /** The events by which it tells that it has taken an error, and keeps its guest from the page; without them it tells nothing. */
  readonly tookError?: readonly EventName[];
  /** Which choices of the user it has a use for. */
  readonly takes: readonly SpecialPart[];
  /** Its program, with all the files that it needs. `outer` is the QEMU that emulates the host layer. */
  gather(choices: PartChoices, supply: Supply, outer: QemuPart): Promise<VmmProgram>;
  /** Its command line in the host layer. `append` goes to the guest's kernel, behind what the scenario adds. */
  command(program: readonly string[], guest: Guest, settings: Settings, append?: string): string[];
}

/** The ports of a host layer in their order: those of its VMM, then the one that was asked for besides. */
export const portChannels = (vmm: Pick<Vmm, 'channels'>, uplink: boolean): readonly Channel[] =>
  uplink ? [...vmm.channels, 'uplink'] : vmm.channels;

/** What the port of a channel is: the line that was asked for besides is a terminal, as who runs there wants to read it. */
export const portOf = ({ port }: Pick<Vmm, 'port'>, channel: Channel): Vmm['port'] =>
  channel === 'uplink' ? 'virtconsole' : port;

/** The device in the host layer at the other end of a channel of its VMM, or of the line that was asked for besides. */
export function hostDevice(vmm: Pick<Vmm, 'channels' | 'port'>, channel: Channel): string {
  const all = portChannels(vmm, true);
  const index = all.indexOf(channel);
  if (portOf(vmm, channel) !== 'virtconsole') return `/dev/vport0p${index + 1}`;
  // Terminals are counted by themselves.
  return `/dev/hvc${all.slice(0, index).filter(other => portOf(vmm, other) === 'virtconsole').length}`;
}

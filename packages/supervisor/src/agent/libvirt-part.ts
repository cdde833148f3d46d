/** @module What an agent reads of libvirt and does with it, by its configuration. */
import { join } from 'node:path';
import type { Epoch, HostId, VmId } from '../core/ids.ts';
import { libvirtActuator } from './acts/libvirt.ts';
import type { Actuator } from './actuator.ts';
import type { LibvirtConfig } from './config.ts';
import { LibvirtVms } from './libvirt-vms.ts';
import { libvirtSource } from './sources/libvirt.ts';
import { ConsoleSource } from './sources/console.ts';
import { emittedByVm } from './sources/emitted.ts';
import { type QemuLogOptions, QemuLogSource } from './sources/qemu-log.ts';
import type { Source } from './source.ts';
import type { Vms } from './vms.ts';

/**
 * Source and acts for the domains of one libvirt.
 * @param context `sees`: which processes are of this host; all, but where two hosts share one kernel
 *   `here`: where a path of the host is found; there, but where the host has a name space of its own
 * @param logs how the logs of its QEMUs are read
 */
export function libvirtPart(
  config: LibvirtConfig,
  context: {
    host: HostId;
    vms: Vms;
    epochOf: (vm: VmId) => Epoch;
    sees?: (pid: number) => boolean;
    here?: (path: string) => string;
  },
  logs: QemuLogOptions = { vms: context.vms },
): { sources: Source[]; libvirt: Actuator } {
  const sees = context.sees === undefined ? {} : { sees: context.sees };
  const vms = new LibvirtVms({ socket: config.socket, uri: config.uri, ...sees }, context.vms);
  const { here = path => path } = context;
  const kept = logs.positions === undefined ? {} : { positions: logs.positions };
  const emitted = emittedByVm();
  const source = libvirtSource({
    vms,
    emitted,
    epochOf: context.epochOf,
    logsOf: (vm, name, console) => [
      // libvirt lets no domain have a slash in its name.
      new QemuLogSource(vm, join(config.logs, `${name}.log`), { ...logs, emitted: emitted(vm), events: 'libvirt' }),
      ...(console === undefined ? [] : [new ConsoleSource(vm, here(console), kept)]),
    ],
  });
  const peers = Object.fromEntries(
    Object.entries(config.peers).map(([host, { migrateUri, ...peer }]) => [
      host,
      migrateUri === undefined ? peer : { ...peer, migrateUri },
    ]),
  );
  return { sources: [source], libvirt: libvirtActuator({ host: context.host, vms, peers }) };
}

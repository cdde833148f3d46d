/** A domain of Xen besides dom0: what dom0 needs to start it, and the command that does. */
import type { GuestProgramPart } from '../supply/guest-program.ts';
import { type InnerProgram, installPrograms } from './images.ts';

/** A domain as a user's configuration file has it. */
interface DomU {
  /** `pv`: Xen's own interface, addresses of the machine in its page tables; `pvh`: a machine by AMD-V, addresses translated. */
  type: 'pv' | 'pvh';
  cpus: number;
  /** MiB */
  memory: number;
  /** Added to its kernel command line. */
  append: string;
}

/** The name by which `xl` knows it; it is the first one that dom0 starts, and so domain 1. */
const DOMU_NAME = 'domu';
export const DOMU_ID = 1;
/** What the domain writes on its console, line by line, in dom0: a FIFO. */
export const DOMU_CONSOLE = '/run/domu.console';
/** Drivers with which the tools in dom0 reach Xen, in the order in which they are loaded. */
export const DOM0_MODULES = ['xen-privcmd', 'xenfs', 'xen-evtchn', 'xen-gntdev', 'xen-gntalloc'];

const BUSYBOX = '/bin/busybox';
const LOGS = '/var/log/xen/console';
/** The agent speaks on the console, which is the only line of such a domain; nobody speaks to it. */
const COMMAND_LINE = 'console=hvc0 panic=-1 syndrome.port=/dev/hvc0';

/** Source: xl.cfg(5). The domain stays when it has crashed, so that it can be looked at. */
function configuration({ type, cpus, memory, append }: DomU): string[] {
  const text = (value: string): string => `"${value.replaceAll(/["'\\\n]/g, '')}"`;
  return [
    `name=${text(DOMU_NAME)}`,
    `type=${text(type)}`,
    'kernel="/domu/kernel"',
    'ramdisk="/domu/initrd"',
    `memory=${memory}`,
    `vcpus=${cpus}`,
    `extra=${text(`${COMMAND_LINE} ${append}`.trim())}`,
    'on_crash="preserve"',
    'on_reboot="destroy"',
    // Emulated AMD-V reports RDTSCP wrongly, of which Xen would make an invalid instruction.
    ...(type === 'pvh' ? ['tsc_mode="native"'] : []),
  ];
}

/** What is done in dom0, in the order of Xen's own start script, on one line. Source: xencommons(8). */
export function domUScript(domu: DomU): string {
  const config = configuration(domu).map(line => `'${line}'`);
  return [
    'set -e',
    `b=${BUSYBOX}`,
    `$b mkdir -p /dev/pts /etc/xen /var/lib/xen ${LOGS} /run/xen /run/lock`,
    '[ -e /var/run ] || $b ln -s /run /var/run',
    '[ -e /var/lock ] || $b ln -s /run/lock /var/lock',
    '$b mount -t devpts p /dev/pts',
    '$b mount -t xenfs x /proc/xen',
    ': > /etc/xen/xl.conf',
    'xenstored --pid-file=/run/xenstored.pid',
    'xen-init-dom0',
    `xenconsoled --log=guest --log-dir=${LOGS}`,
    `printf '%s\\n' ${config.join(' ')} > /etc/xen/domu.cfg`,
    `$b mkfifo ${DOMU_CONSOLE}`,
    `: > ${LOGS}/guest-${DOMU_NAME}.log`,
    `$b tail -n +1 -f ${LOGS}/guest-${DOMU_NAME}.log > ${DOMU_CONSOLE} 2> /dev/null &`,
    'xl create /etc/xen/domu.cfg',
  ]
    .join('; ')
    .replaceAll('&;', '&');
}

/** Files for dom0 with which it starts the domain, and the command that does. */
export function packDomU(
  { tools, busybox, kernel, initrd }: { tools: GuestProgramPart; busybox: string; kernel: string; initrd: string },
  domu: DomU,
): InnerProgram {
  return {
    files: [
      // What ends a thread of a C program.
      ...installPrograms(tools, ['libgcc_s.so.1']),
      { file: busybox, path: BUSYBOX.slice(1) },
      { file: kernel, path: 'domu/kernel' },
      { file: initrd, path: 'domu/initrd' },
    ],
    argv: [BUSYBOX, 'sh', '-c', domUScript(domu)],
  };
}

/** @module The configuration of an agent: YAML with a schema. Everything but the name of the host has a default. */
import { z } from 'zod';
import { EXEC_ACTS } from './exec/acts-list.ts';
import { vmFactsSchema } from './vm-facts.ts';
import { MAX_LEASES } from '../wire/row.ts';

const path = z.string().min(1).max(4096).startsWith('/', 'a whole path, from / on');
const readIt = z.union([z.boolean(), z.literal('auto')]).default('auto');

/** The QEMUs of Debian and of Fedora: what may be started where nothing is said of it. */
export const QEMUS: readonly string[] = [
  '/usr/bin/qemu-system-x86_64',
  '/usr/bin/qemu-system-aarch64',
  '/usr/bin/qemu-kvm',
  '/usr/libexec/qemu-kvm',
];

/** A word that virsh gets as one argument; it is no option. */
const uri = z
  .string()
  .max(1024)
  .regex(/^[a-z][\w+.-]*:\S+$/, 'a URI');

export const libvirtConfigSchema = z.strictObject({
  /** Of libvirtd, or of virtqemud (`/run/libvirt/virtqemud-sock`). */
  socket: path.default('/run/libvirt/libvirt-sock'),
  /** Whose daemon it is: the system's, or a user's own. */
  uri: z.enum(['qemu:///system', 'qemu:///session']).default('qemu:///system'),
  /** Where libvirt keeps what its QEMUs print: the guest address of an error stands there only. */
  logs: path.default('/var/log/libvirt/qemu'),
  /** Hosts that VMs may be moved to, as this host's libvirt reaches theirs. */
  peers: z
    .record(
      z.string().min(1).max(256),
      z.strictObject({
        uri,
        migrateUri: uri.optional(),
        /** Their disks are shared, and this libvirt cannot be told so (before 10.8). */
        unsafe: z.boolean().default(false),
      }),
    )
    .default({}),
});
/** A program that speaks for a hypervisor (docs/exec.md). */
const execConfigSchema = z.strictObject({
  /** Program and arguments, no shell. Never a secret: every user sees arguments. */
  argv: z.tuple([path], z.string().max(4096)),
  /** Its environment beside PATH, HOME and LC_ALL=C. Never a secret: name a file with it. */
  env: z.record(z.string().regex(/^[A-Z_][A-Z\d_]{0,63}$/), z.string().max(4096)).default({}),
  /** What it may be asked to do; without any it is only asked what there is. */
  acts: z.array(z.enum(EXEC_ACTS)).max(EXEC_ACTS.length).default([]),
  /** Between two questions for all VMs. */
  everySeconds: z.number().int().min(1).max(3600).default(15),
  /** It is killed after so long; an act that ends sooner has less. */
  deadlineSeconds: z.number().int().min(1).max(600).default(20),
});
export type ExecConfig = z.infer<typeof execConfigSchema>;
export type LibvirtConfig = z.infer<typeof libvirtConfigSchema>;

const hostAndPort = z.string().regex(/^(?:[\w.-]+|\[[0-9a-f:.]+\]):\d{1,5}$/i, 'HOST:PORT');

/** A controller on another machine: both sides show who they are. */
export const controllerPortSchema = z.strictObject({
  address: z
    .union([hostAndPort, z.array(hostAndPort).min(1).max(16)])
    .describe('HOST:PORT, the name is that of its certificate; several controllers are asked one after the other'),
  ca: path.describe('the authority of the site, PEM'),
  cert: path.describe('the certificate of this host: its common name is the name of the host'),
  key: path.describe('its key, mode 0600'),
});
export type ControllerPort = z.infer<typeof controllerPortSchema>;

export const agentConfigSchema = z.strictObject({
  /** The name of this host in its site: it stays the same for ever. */
  host: z.string().min(1).max(256),
  /** Spool, epochs and results: of this user alone. */
  folder: path.default('/var/lib/syndrome/agent'),
  /** The controller's unix socket, or a terminal device at whose other end it is; or its port, over TLS. */
  controller: z.union([path, controllerPortSchema]).default('/run/syndrome/controller/agents.sock'),
  /** Bound of the spool, MiB. */
  spoolMiB: z.number().int().min(1).max(65_536).default(64),
  /** Folders of QMP sockets (`*.qmp`, `*.sock`), each with what is said of its VM beside it in `<socket>.yaml`. */
  folders: z.array(path).max(64).default([]),
  /** Single QMP sockets. */
  monitors: z
    .array(vmFactsSchema.extend({ socket: path }))
    .max(4096)
    .default([]),
  /** Reference VMMs: their NDJSON, a file or a FIFO. */
  vmms: z
    .array(vmFactsSchema.extend({ vm: z.string().min(1).max(256), events: path }))
    .max(256)
    .default([]),
  /** The host's libvirt, where it has one; `{}` for the system's with defaults. */
  libvirt: libvirtConfigSchema.optional(),
  /** VMs of another hypervisor, by a program that speaks for it. */
  exec: execConfigSchema.optional(),
  /** What of the host is read; `auto`: what is there and may be read. */
  kmsg: readIt,
  trace: readIt,
  sysfs: readIt,
  /** Bare QEMUs that are started here. */
  start: z
    .strictObject({
      folder: path.default('/run/syndrome/vms'),
      logs: path.default('/var/log/syndrome/vms'),
      /** Programs that may be started, by whole path: no other, whatever a definition says. */
      programs: z
        .array(path)
        .max(64)
        .default([...QEMUS]),
    })
    .prefault({}),
  /**
   * Lockspaces of sanlock in which this host has a host id: its leases, and whether its watchdog is armed for them, are told while they can be, so
   * that they count when it is silent. Needs `sysfs`.
   */
  sanlock: z
    .strictObject({
      lockspaces: z
        .array(z.string().regex(/^[\w.-]{1,48}$/, 'the name of a lockspace'))
        .min(1)
        .max(MAX_LEASES),
    })
    .optional(),
  /** May pages of this host be taken out of use (soft and hard offlining)? */
  offline: z.boolean().default(false),
  /** Disks, or folders of disks, that this host reaches: no VM with another disk is placed here. */
  storage: z.array(z.string().max(4096)).max(4096).default([]),
  /** CPU models that it can give; none named: what its QEMU lists is all that is asked. */
  cpuModels: z.array(z.string().max(256)).max(1024).default([]),
});
export type AgentConfig = z.infer<typeof agentConfigSchema>;

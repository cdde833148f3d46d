/**
 * Which room may import which: the one table behind the import rule of the design. A room may always import itself.
 * `pure` rooms may not import Node built-ins or packages: they run in a browser.
 */
export interface Room {
  /** Its folder. A folder inside that of another room is that of the inner one. */
  folder: string;
  imports: readonly string[];
  pure?: true;
  /** It runs in a page: no Node built-ins, but what a browser has, and packages. */
  browser?: true;
  /** Its modules keep nothing either: what it answers depends on what it is given. Said of pure rooms by `pure`. */
  stateless?: true;
  packages?: readonly string[];
}

const BYTES = ['common', 'registers', 'mca', 'arm', 'cper', 'acpi'] as const;
const DECODE = [...BYTES, 'events', 'text', 'outlook', 'inject', 'decode', 'triage', 'bundle'] as const;
const SUPERVISOR = [
  'store',
  'core',
  'policy',
  'wire',
  'agent',
  'notify',
  'controller',
  'rest',
  'site',
  'sim',
  'evaluate',
] as const;
const LAB = ['supply', 'guest', 'lab', 'sweep', 'report'] as const;

export const rooms: Readonly<Record<string, Room>> = {
  common: { folder: 'packages/decode/src/common', imports: [], pure: true },
  registers: { folder: 'packages/decode/src/registers', imports: ['common'], pure: true },
  arm: { folder: 'packages/decode/src/arm', imports: ['common', 'registers'], pure: true },
  mca: { folder: 'packages/decode/src/mca', imports: ['common', 'registers', 'arm'], pure: true },
  cper: { folder: 'packages/decode/src/cper', imports: ['common', 'registers', 'arm', 'mca'], pure: true },
  acpi: { folder: 'packages/decode/src/acpi', imports: ['common', 'registers', 'cper'], pure: true },
  events: { folder: 'packages/decode/src/events', imports: BYTES, pure: true },
  text: { folder: 'packages/decode/src/text', imports: [...BYTES, 'events'], pure: true },
  outlook: { folder: 'packages/decode/src/outlook', imports: BYTES, pure: true },
  inject: { folder: 'packages/decode/src/inject', imports: [...BYTES, 'outlook'], pure: true },
  decode: { folder: 'packages/decode/src/decode', imports: [...BYTES, 'events', 'text', 'outlook'], pure: true },
  /** What many decoded records come to. */
  triage: {
    folder: 'packages/decode/src/triage',
    imports: ['common', 'registers', 'mca', 'events', 'decode'],
    pure: true,
  },
  /** A support bundle: its files by name, copies of records, parts by SMBIOS, names that are left out. */
  bundle: {
    folder: 'packages/decode/src/bundle',
    imports: ['common', 'registers', 'cper', 'events', 'decode'],
    pure: true,
  },
  /** The one file of the package that others import by its name. */
  api: { folder: 'packages/decode/src', imports: DECODE, pure: true },

  trace: { folder: 'packages/trace/src', imports: DECODE, pure: true },

  socket: { folder: 'packages/qemu/src/socket', imports: ['common'] },
  /** What gdbstubs and libvirt write their descriptions in. */
  xml: { folder: 'packages/qemu/src/xml', imports: ['common'], pure: true },
  qmp: { folder: 'packages/qemu/src/qmp', imports: ['common', 'events', 'text', 'inject', 'socket'] },
  gdb: { folder: 'packages/qemu/src/gdb', imports: ['common', 'registers', 'arm', 'socket', 'xml'] },

  disk: { folder: 'packages/base/src/disk', imports: ['common'] },

  supply: { folder: 'packages/lab/src/supply', imports: ['common', 'disk'] },
  guest: { folder: 'packages/lab/src/guest', imports: ['common', 'events', 'text', 'disk'] },
  lab: {
    folder: 'packages/lab/src',
    imports: [...DECODE, 'trace', 'disk', 'qmp', 'gdb', 'supply', 'guest'],
    packages: ['yaml', 'zod'],
  },
  /** Cells of a space: measured once, judged by the outlook, merged into a map. */
  sweep: {
    folder: 'packages/lab/src/sweep',
    imports: [...DECODE, 'trace', 'disk', 'store', 'supply', 'lab'],
  },
  report: { folder: 'packages/lab/src/report', imports: [...DECODE, 'trace', 'disk', 'xml', 'lab'] },

  vmm: { folder: 'packages/vmm/src', imports: ['common', 'registers', 'arm', 'events'], packages: ['koffi'] },

  store: { folder: 'packages/base/src/store', imports: ['common', 'disk'], packages: ['pg'] },
  /** The one HTTP server: who may ask, how long, and what is answered where nothing is. */
  http: {
    folder: 'packages/base/src/http',
    imports: ['common', 'disk'],
    packages: ['hono', '@hono/node-server'],
  },
  libvirt: { folder: 'packages/qemu/src/libvirt', imports: ['common', 'registers', 'socket', 'xml', 'qmp'] },

  /** What is decided: the same function in production, in the simulator and in a replay. */
  core: { folder: 'packages/supervisor/src/core', imports: [...BYTES, 'events'], pure: true },
  /** Policies from YAML, and what is said of them. */
  policy: {
    folder: 'packages/supervisor/src/policy',
    imports: ['common', 'core'],
    stateless: true,
    packages: ['yaml', 'zod'],
  },
  /** Lines between agent and controller, rows and orders as JSON, checked. */
  wire: { folder: 'packages/supervisor/src/wire', imports: [...BYTES, 'events', 'text', 'core'], packages: ['zod'] },
  agent: {
    folder: 'packages/supervisor/src/agent',
    imports: [...DECODE, 'disk', 'socket', 'qmp', 'xml', 'libvirt', 'core', 'wire'],
    packages: ['yaml', 'zod'],
  },
  notify: { folder: 'packages/supervisor/src/notify', imports: ['common', 'disk', 'core'] },
  controller: {
    folder: 'packages/supervisor/src/controller',
    imports: ['common', 'disk', 'store', 'core', 'policy', 'wire', 'notify'],
    packages: ['yaml', 'zod'],
  },
  /** What the API answers with, for clients and pages. */
  client: { folder: 'packages/supervisor/src/client', imports: [], pure: true },
  /** The API of a controller: routes as a table, its document, who may ask. */
  rest: {
    folder: 'packages/supervisor/src/rest',
    imports: ['common', 'disk', 'http', 'store', 'core', 'policy', 'wire', 'controller', 'client'],
    packages: ['hono', 'zod'],
  },
  /** A site as its file describes it, put together. */
  site: {
    folder: 'packages/supervisor/src/site',
    imports: ['common', 'disk', 'store', 'core', 'policy', 'wire', 'agent', 'notify', 'controller', 'rest'],
    packages: ['yaml', 'zod'],
  },
  /** Sites under a seeded clock: hosts, agents and controllers around the core, and all that fails. */
  sim: {
    folder: 'packages/supervisor/src/sim',
    imports: [...BYTES, 'events', 'core', 'policy', 'store', 'controller'],
  },
  /** The shipped policy against others, on faults as the field has them. */
  evaluate: {
    folder: 'packages/supervisor/src/evaluate',
    imports: [...BYTES, 'events', 'core', 'policy', 'sim'],
  },
  // The lab and the supervisor never import each other.
  /** What pages show, without a page: layout of lanes, rows, links, keys. */
  view: { folder: 'packages/web/src/view', imports: [...DECODE, 'trace', 'client'], pure: true },
  page: {
    folder: 'packages/web/src/page',
    imports: [...DECODE, 'trace', 'client', 'view'],
    browser: true,
    stateless: true,
    packages: ['preact', '@preact/signals'],
  },
  /** The pages as a file: a template, what is put into it. It never imports a page. */
  web: { folder: 'packages/web/src', imports: ['common', 'disk', 'view'], packages: ['vite'] },
  /** The pages from a server: what lies in folders, and runs as they go on. */
  server: {
    folder: 'packages/web/src/server',
    imports: ['common', 'events', 'disk', 'http', 'trace', 'view', 'web'],
    packages: ['hono'],
  },

  cli: {
    folder: 'packages/cli/src',
    imports: [
      ...DECODE,
      'trace',
      'socket',
      'disk',
      'qmp',
      'gdb',
      ...LAB,
      'vmm',
      'libvirt',
      'http',
      ...SUPERVISOR,
      'view',
      'web',
      'server',
    ],
    packages: ['commander'],
  },
};

/** Rooms that tests (and what is under testing/) may import from anywhere: real machines come from the supply. */
export const testImports: readonly string[] = ['common', 'supply', 'sim'];

/** The room a file belongs to, by the longest folder; `file` is relative to the repository, with `/`. */
export function roomOf(file: string): string | undefined {
  let best: string | undefined;
  for (const [name, { folder }] of Object.entries(rooms)) {
    const longer = best === undefined || folder.length > (rooms[best]?.folder.length ?? 0);
    if (longer && file.startsWith(`${folder}/`)) best = name;
  }
  return best;
}

/** The package a file belongs to: `decode` for `packages/decode/src/mca/lint.ts`. */
export function packageOf(file: string): string | undefined {
  return /^packages\/([^/]+)\/src\//.exec(file)?.[1];
}

/** All sources, tests among them, for a glob. */
export const SOURCES = 'packages/*/src/**/*.{ts,tsx}';

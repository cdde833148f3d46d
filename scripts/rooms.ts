/**
 * Which room may import which: the one table behind the import rule of the design. A room may always import itself.
 * `pure` rooms may not import Node built-ins or packages: they run in a browser.
 */
export const rooms: Record<string, { imports: string[]; pure?: true; packages?: string[] }> = {
  common: { imports: [], pure: true },
  registers: { imports: ['common'], pure: true },
  mca: { imports: ['common', 'registers'], pure: true },
  arm: { imports: ['common', 'registers'], pure: true },
  cper: { imports: ['common', 'registers'], pure: true },
  text: { imports: ['common', 'registers', 'mca', 'arm', 'cper'], pure: true },
  outlook: { imports: ['common', 'registers', 'mca', 'arm', 'cper'], pure: true },
  decode: { imports: ['common', 'registers', 'mca', 'arm', 'cper', 'text', 'outlook'], pure: true },
  socket: { imports: ['common'] },
  disk: { imports: ['common'] },
  qmp: { imports: ['common', 'socket'] },
  gdb: { imports: ['common', 'socket'] },
  supply: { imports: ['common', 'disk'] },
  guest: { imports: ['common', 'disk'] },
  vmm: { imports: ['common'], packages: ['koffi'] },
  lab: {
    imports: [
      'common',
      'registers',
      'mca',
      'arm',
      'cper',
      'text',
      'outlook',
      'decode',
      'disk',
      'qmp',
      'gdb',
      'supply',
      'guest',
    ],
    packages: ['yaml', 'zod'],
  },
  report: { imports: ['common', 'registers', 'mca', 'arm', 'cper', 'text', 'outlook', 'decode', 'disk', 'lab'] },
  cli: {
    imports: [
      'common',
      'registers',
      'mca',
      'arm',
      'cper',
      'text',
      'outlook',
      'decode',
      'socket',
      'disk',
      'qmp',
      'gdb',
      'supply',
      'guest',
      'vmm',
      'lab',
      'report',
    ],
    packages: ['commander'],
  },
};

/** Rooms that tests (and what is under testing/) may import from anywhere: real machines come from the supply. */
export const testImports: readonly string[] = ['common', 'supply'];

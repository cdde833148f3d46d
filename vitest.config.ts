import { defineConfig } from 'vitest/config';

/** What `npm run test:long` runs besides; those of another project are there with larger numbers than elsewhere. */
const SEARCHES = [
  // Further variants of what runs with every change, and wires of others' programs.
  'test/scenarios.long.test.ts',
  'test/outlook.long.test.ts',
  'test/rasdaemon.long.test.ts',
  'test/supervisor-kills.machine.test.ts',
  'packages/supervisor/src/controller/crash.test.ts',
  'packages/supervisor/src/controller/postgres-crash.machine.test.ts',
  'packages/supervisor/src/core/world.test.ts',
  'packages/supervisor/src/sim/simulate.test.ts',
  'packages/supervisor/src/agent/sanlock.machine.test.ts',
];
/**
 * Of the machine tests those with a browser, a PostgreSQL or another server, and without an emulator: they touch nothing that the others
 * do, and wait for other things than a processor, so that both kinds run at once.
 */
const SERVERS = [
  'packages/web/src/**/*.machine.test.ts',
  'packages/supervisor/src/rest/*.machine.test.ts',
  'packages/supervisor/src/controller/*postgres*.machine.test.ts',
  'packages/base/src/store/*.machine.test.ts',
  'test/pictures.machine.test.ts',
  'test/fleet-page.machine.test.ts',
  'test/published-page.machine.test.ts',
  'test/shards.machine.test.ts',
];
const longSearch = process.env['SYNDROME_LONG_SEARCH'] === '1';

/**
 * Fast tests run without any machine; `*.long.test.ts` build, pack and install what is published; `*.machine.test.ts` start
 * QEMU or other servers, or touch the package cache.
 */
export default defineConfig({
  test: {
    // The snapshots of help texts follow the same switch as the golden files.
    update: process.env['UPDATE_GOLDEN'] === '1',
    projects: [
      {
        test: {
          name: 'fast',
          include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['**/*.machine.test.ts', '**/*.long.test.ts', '**/node_modules/**'],
          testTimeout: 30_000,
          setupFiles: ['test/seed.ts', 'test/umask.ts'],
        },
      },
      {
        test: {
          name: 'long',
          include: ['test/published.long.test.ts', ...(longSearch ? SEARCHES : [])],
          testTimeout: longSearch ? 1_200_000 : 300_000,
          hookTimeout: 300_000,
          // The seed is that of property tests; the others have one of their own.
          setupFiles: [...(longSearch ? ['test/seed.ts'] : []), 'test/umask.ts'],
          fileParallelism: !longSearch,
        },
      },
      {
        test: {
          name: 'machine',
          include: ['packages/*/src/**/*.machine.test.ts', 'test/**/*.machine.test.ts'],
          exclude: [...SERVERS, '**/node_modules/**'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'servers',
          include: SERVERS,
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});

import { defineConfig } from 'vitest/config';

/** What `npm run test:long` runs with larger numbers; elsewhere they are tests of their own project, with small ones. */
const SEARCHES = [
  'test/supervisor-kills.machine.test.ts',
  'packages/supervisor/src/controller/crash.test.ts',
  'packages/supervisor/src/controller/postgres-crash.machine.test.ts',
  'packages/supervisor/src/core/world.test.ts',
  'packages/supervisor/src/sim/simulate.test.ts',
  'packages/supervisor/src/agent/sanlock.machine.test.ts',
];
const longSearch = process.env['SYNDROME_LONG_SEARCH'] === '1';

/**
 * Fast tests run without any machine; `*.long.test.ts` build, pack and install what is published; `*.machine.test.ts` start
 * QEMU or touch the package cache.
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
          include: ['test/**/*.long.test.ts', ...(longSearch ? SEARCHES : [])],
          testTimeout: 300_000,
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
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});

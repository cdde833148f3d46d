/**
 * A short soak: controllers, agents, the VM and the store below them are killed with -9 and paused at random moments. `SYNDROME_KILLS=300`
 * strikes more often than 20 times; `SYNDROME_SEED` gives other moments (0: by the clock).
 */
import { postgresMissing } from '@syndrome/base/store/testing/postgres-server.ts';
import { skipWithout } from '@syndrome/lab/supply/testing/required.ts';
import { testQemu } from '@syndrome/qemu/qmp/testing/qemu.ts';
import { expect, test } from 'vitest';
import { soak } from '../scripts/soak/soak.ts';

const KILLS = Number(process.env['SYNDROME_KILLS'] ?? 20);
const SEED = Number(process.env['SYNDROME_SEED'] ?? 1) || Date.now();

test.for([
  ['one controller on a file', false],
  ['two controllers on a PostgreSQL', true],
] as const)(
  `%s, struck ${KILLS} times (seed ${SEED}): nothing accepted is lost, no act is begun twice, no two QEMUs`,
  { timeout: 240_000 + KILLS * 20_000 },
  async ([, postgres], context) => {
    if (postgres) skipWithout(context, 'postgres', postgresMissing());
    const result = await soak({ qemu: await testQemu('x86_64'), kills: KILLS, seed: SEED, postgres });
    console.log(JSON.stringify(result));
    const { kills, accepted, lost, doubled, stuck, faults, differs, pages, acts } = result;
    expect({ kills, lost, doubled, stuck, faults, differs }).toEqual({
      kills: KILLS,
      lost: 0,
      doubled: 0,
      stuck: 0,
      faults: [],
      differs: undefined,
    });
    expect(accepted).toBeGreaterThanOrEqual(pages);
    expect(acts).toBeGreaterThan(0);
  },
);

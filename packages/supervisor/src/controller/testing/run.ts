/** A controller in a process of its own, to be killed. `node run.ts FOLDER SNAPSHOT-EVERY`; what it delivers it appends to FOLDER/told, its log is its output. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '@syndrome/base/store/open.ts';
import { runController } from '../controller.ts';
import { MOVES } from './policy.ts';
import { placeIn } from './store.ts';

const folder = process.argv[2] ?? '';
await runController(
  {
    store: await openStore(placeIn(folder)),
    agentSocket: join(folder, 'run/agents.sock'),
    adminSocket: join(folder, 'run/admin.sock'),
    targets: ['one'],
    targetsOf: () => ['one'],
    deliver: async ({ id }) => {
      appendFileSync(join(folder, 'told'), `${id}\n`);
      return { ok: true };
    },
    policy: { policy: MOVES, by: 'configuration' },
    ttlMs: 250,
    snapshotEvery: Number(process.argv[3]),
    log: line => process.stdout.write(`${line}\n`),
  },
  new AbortController().signal,
);

import { expect, test } from 'vitest';
import type { Act } from '../../core/act.ts';
import { Units } from '../units.ts';
import { Vms } from '../vms.ts';
import { guardRefusal } from './migration-guard.ts';
import { QemuActs } from './qemu.ts';

const WORDS = "Can't migrate this vm with hardware poisoned memory, please reboot the vm and try again";

test('QEMU is quoted, by its monitor and as virsh hands it on', () => {
  const refusal = { state: 'refused', reason: `QEMU refuses it: ${WORDS}`, seen: { memory: 'poisoned' } };
  expect(guardRefusal(WORDS)).toEqual(refusal);
  expect(
    guardRefusal(`error: internal error: unable to execute QEMU command 'migrate': ${WORDS}\nerror: and more`),
  ).toEqual(refusal);
  expect(guardRefusal('Failed to connect to target')).toBeUndefined();
});

const migrate: Act = {
  id: 'migrate-1',
  kind: 'migrate',
  host: 'a',
  vm: 'web',
  epoch: 3,
  incident: 'inc-1',
  deadline: Date.now() + 20_000,
  to: 'b',
};

test.each([
  { says: WORDS, reason: `QEMU refuses it: ${WORDS}`, seen: { memory: 'poisoned' } },
  { says: 'Failed to connect', reason: 'a bare QEMU is not migrated: Failed to connect', seen: undefined },
])('a bare QEMU is asked, and is not migrated: $says', async ({ says, reason, seen }) => {
  const vms = new Vms();
  const asked: unknown[] = [];
  const execute = (command: string, words: object): Promise<never> => {
    asked.push(command, words);
    return Promise.reject(new Error(says));
  };
  vms.of('web').qmp = { execute } as never;
  const acts = new QemuActs({ vms, units: new Units(), programs: [], folder: '/run/vms', logs: '/run/logs' });
  const result = await acts.act(migrate, new AbortController().signal);
  expect(result).toMatchObject({ action: 'migrate-1', state: 'refused', reason });
  expect(result.seen).toEqual(seen);
  // To where nobody can listen: it would be its only copy that goes there.
  expect(asked).toEqual(['migrate', { uri: 'unix:/run/vms/nobody-listens-here' }]);
});

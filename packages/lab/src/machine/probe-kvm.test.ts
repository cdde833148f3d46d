import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LabInterrupted } from '../errors.ts';
import { findScenario } from '../scenario/load.ts';
import { probeKvm } from './probe-kvm.ts';

let dir: string;
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'probe-'))));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const files = { qemu: ['/bin/false'], kernel: '/nothing', initrd: '/nothing' };

test('an interrupted probe is no answer; a QEMU that ends without a word of KVM is none that is kept', async () => {
  const { machine } = findScenario('intel-ce-logged');
  const aborted = probeKvm(machine, files, { cacheDir: dir, signal: AbortSignal.abort() });
  await expect(aborted).rejects.toBeInstanceOf(LabInterrupted);
  const { works, reason } = await probeKvm(machine, files, { cacheDir: dir });
  expect([works, reason]).toEqual([false, expect.stringContaining('QEMU ended with code 1')]);
  expect(readdirSync(dir)).toEqual([]);
});

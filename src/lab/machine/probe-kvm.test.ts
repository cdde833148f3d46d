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

test('an interrupted probe is no answer; a QEMU that ends is one, and is kept', async () => {
  const { machine } = findScenario('intel-ce-logged');
  await expect(probeKvm(machine, files, dir, AbortSignal.abort())).rejects.toBeInstanceOf(LabInterrupted);
  expect(readdirSync(dir)).toEqual([]);
  const { works, reason } = await probeKvm(machine, files, dir, new AbortController().signal);
  expect([works, reason]).toEqual([false, expect.stringContaining('QEMU ended with code 1')]);
  expect(readdirSync(join(dir, 'kvm-probe'))).toHaveLength(1);
});

import { expect, test } from 'vitest';
import { preflight, requirePreflight } from './host-local.ts';
import { machineSchema } from './scenario/schema.ts';

const amd = machineSchema.parse({ kind: 'amd-host' });
const flat = machineSchema.parse({ kind: 'linux-guest' });

test('without consent this machine is never the host layer, whatever it can do', () => {
  expect(() => requirePreflight(amd, false)).toThrow(
    expect.objectContaining({
      code: 'E_LAB_HOST_LOCAL',
      hint: expect.stringContaining('--poison-this-host') as string,
    }),
  );
});

test('a scenario without a host layer is refused even with consent', () => {
  const first = preflight(flat, true).find(p => p.what.includes('host layer'));
  expect(first).toMatchObject({ ok: false });
  expect(() => requirePreflight(flat, true)).toThrow('the scenario has a host layer of x86-64');
});

test('everything that is asked for says how to get it', () => {
  for (const item of preflight(amd, false)) expect(item.remedy).toMatch(/\w.*[.]$/);
});

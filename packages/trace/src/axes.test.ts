import { expect, test } from 'vitest';
import { AXES, AXIS_NAMES, besidesOf, optionsOf } from './axes.ts';

test('what stands besides the place on the axis, and how it is chosen', () => {
  const cell = { cpu: 'EPYC', qemu: '10.0', kernel: '6.19', hostKernel: '7.0' };
  expect(besidesOf(cell, 'kernel')).toEqual(['host kernel 7.0', 'QEMU 10.0', 'EPYC']);
  expect(besidesOf(cell, 'qemu')).toEqual(['guest kernel 6.19', 'host kernel 7.0', 'EPYC']);
  expect(besidesOf({ kernel: '6.19', variant: 'anon early' }, 'kernel')).toEqual(['anon early']);
  expect(besidesOf({}, 'xen')).toEqual([]);
  expect(optionsOf(cell).join(' ')).toBe('--guest-kernel 6.19 --host-kernel 7.0 --qemu 10.0 --cpu EPYC');
  expect(optionsOf({ kernel: '' })).toEqual([]);
});

test('an option is the key of its part, in words', () => {
  for (const axis of AXIS_NAMES) {
    const words = axis === 'kernel' ? 'guest-kernel' : axis.replace(/[A-Z]/, letter => `-${letter.toLowerCase()}`);
    expect(AXES[axis].option).toBe(`--${words}`);
  }
});

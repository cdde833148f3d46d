import { expect, test } from 'vitest';
import { moduleParameters, switchedOn } from './module-parameters.ts';

test.each([
  ['console=ttyS0 kvm.ignore_msrs=1 mce=print_all', '/modules/kvm.ko.xz', 'ignore_msrs=1'],
  ['kvm_amd.nested=0 kvm.ignore_msrs=1 kvm-amd.npt=1', '/modules/kvm-amd.ko', 'nested=0 npt=1'],
  ['kvm.ignore_msrs=1', 'kvm-amd', ''],
  ['kvm.report_ignored_msrs', 'kvm', 'report_ignored_msrs'],
  [
    'dyndbg.x=1 test.dyndbg="func f +p" "test.name=two words" -- test.late=1',
    'test',
    'dyndbg="func f +p" "name=two words"',
  ],
])('%s gives %s: %s', (commandLine, module, expected) => {
  expect(moduleParameters(commandLine, module)).toBe(expected);
});

test.each([
  ['kvm.ignore_msrs=1', true],
  ['kvm.ignore_msrs=Y kvm.ignore_msrs=0', false],
  ['kvm.ignore_msrs', true],
  ['kvm.ignore-msrs=on', true],
  ['mce=print_all', undefined],
])('%s switches ignore_msrs on: %s', (commandLine, expected) => {
  expect(switchedOn(commandLine, 'kvm', 'ignore_msrs')).toBe(expected);
});

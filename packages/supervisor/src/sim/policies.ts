/** @module Policies under which short histories come to something. */
import { NO_POLICY, type Policy } from '../core/policy.ts';

/** A policy that acts at the third distinct error, at once. */
export const ACTS: Policy = {
  ...NO_POLICY,
  name: 'test',
  version: '1',
  mode: 'act',
  budget: { moves: 1, drainingPercent: 5, drainingAtLeast: 1 },
  rules: [
    {
      name: 'died',
      of: 'vm',
      when: { consequence: ['died', 'panicked'] },
      do: 'restart-elsewhere',
      drain: false,
      notice: 0,
      settle: 0,
    },
    {
      name: 'third',
      of: 'vm',
      when: { errors: 3, within: 2_592_000_000 },
      do: 'restart-elsewhere',
      drain: false,
      notice: 0,
      settle: 0,
    },
    { name: 'any', of: 'vm', when: { errors: 1 }, do: 'tell', drain: false, notice: 0, settle: 0 },
    { name: 'suspect', of: 'host', when: { suspect: true }, do: 'evacuate' },
    { name: 'gone', of: 'host', when: { silent: 120_000 }, do: 'evacuate' },
  ],
};

/** As in production, with thresholds that a short history reaches. */
export const QUICK: Policy = {
  ...ACTS,
  budget: { moves: 2, drainingPercent: 25, drainingAtLeast: 1 },
  proofs: { ...ACTS.proofs, fence: true, sanlock: true },
  breaker: { hosts: 4, percent: 10, within: 60_000, cooldown: 600_000 },
};

/** With resets in place, with bad pages that are taken out of use again after a boot, and with time for the owner before what is done with a VM that runs. */
export const PATIENT: Policy = {
  ...QUICK,
  reoffline: true,
  rules: [
    {
      name: 'died',
      of: 'vm',
      when: { consequence: ['died'] },
      do: 'restart-elsewhere',
      drain: false,
      notice: 0,
      settle: 0,
    },
    { name: 'third', of: 'vm', when: { errors: 3 }, do: 'restart-elsewhere', drain: true, notice: 300_000, settle: 0 },
    { name: 'second', of: 'vm', when: { errors: 2 }, do: 'reboot', drain: false, notice: 60_000, settle: 0 },
    ...QUICK.rules,
  ],
};

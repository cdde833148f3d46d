import { NO_POLICY, type Policy } from '../../core/policy.ts';

/** Moves a VM at its third distinct page, many at a time, and never thinks that it is a storm. */
export const MOVES: Policy = {
  ...NO_POLICY,
  name: 'moves',
  version: '1',
  mode: 'act',
  budget: { moves: 1000, drainingPercent: 5, drainingAtLeast: 1 },
  breaker: { hosts: 1000, percent: 100, within: 1000, cooldown: 1000 },
  rules: [
    { name: 'third', of: 'vm', when: { errors: 3 }, do: 'restart-elsewhere', drain: false, notice: 0, settle: 0 },
    { name: 'any', of: 'vm', when: { errors: 1 }, do: 'tell', drain: false, notice: 0, settle: 0 },
  ],
};

/** @module Who may do what: the roles that a token can have. Every token reads; beyond that a role is for what its name says. */

/**
 * `viewer` reads. `operator` orders what `fleet` orders, but for an attestation. `policy-admin` sets the policy. `fencer` states that a
 * copy of a VM has stopped, and confirms what another fencer has stated.
 */
export const ROLES = ['viewer', 'operator', 'policy-admin', 'fencer'] as const;
export type Role = (typeof ROLES)[number];

/** The lease of whoever may write to a ledger: a controller, and an export while it reads. */
export const LEASE = 'controller';
/** What the names of leases begin with that say which controllers there are. */
export const MEMBER = 'member/';

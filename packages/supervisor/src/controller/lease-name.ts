/** The lease of whoever may write to a ledger: a controller, and an export while it reads. */
export const LEASE = 'controller';

/** @module What things are called. All are text on every wire; times are milliseconds UTC since 1970. */

/** A host, by the name its agent was given: unique in a site, stable over reboots. */
export type HostId = string;
/** A VM, by its UUID (libvirt) or the name it was given (a bare QEMU): unique in a site, the same on every host. */
export type VmId = string;
/** Wall clock, ms UTC. The core never reads a clock: every input carries one. */
export type Time = number;
/** Grows by one with each start of a VM that we order. An agent refuses what is older than the highest it has seen. */
export type Epoch = number;
/** An incident: `inc-` and a number that grows. */
export type IncidentId = string;
/** An action: a function of incident, rung, VM and epoch, so that deciding it twice makes it once. The idempotency key. */
export type ActionId = string;

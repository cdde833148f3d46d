/** @module What goes wrong, how often one against the other, and how long. Times are ms. */

/** Errors of memory and what comes of them, whims of owners and operators, and all that fails around them. */
export const FAULTS = {
  page: 20,
  'page-again': 6,
  unlocated: 4,
  'vmm-dies': 8,
  'guest-panics': 4,
  'guest-lies': 3,
  'guest-off': 2,
  'kernel-fails': 3,
  'page-storm': 0.3,
  'repeat-storm': 1,
  'silent-error': 2,
  'many-hosts': 0.4,
  'host-crash': 4,
  'host-crash-short': 3,
  'disk-lies': 1,
  'disk-full': 1,
  'reader-stops': 2,
  'storage-lost': 1,
  'link-break': 8,
  'link-cut': 5,
  'agent-pause': 5,
  'agent-restarts': 2,
  'agent-loses-disk': 1,
  'host-clock': 2,
  'rows-again': 6,
  'fence-dead': 2,
  'controller-dies': 0.5,
  'controller-pauses': 0.5,
  'controller-clock': 0.3,
  'controllers-away': 0.05,
  'store-away': 0.5,
  'store-fails-over': 0.5,
  drain: 2,
  undrain: 2,
  repaired: 3,
  restart: 2,
  terminate: 0.3,
  'planned-stop': 0.5,
  attest: 2,
  pause: 0.05,
} as const;

export type Fault = keyof typeof FAULTS;

/** How long what fails stays so: from, to. */
export const LASTS: Readonly<Partial<Record<Fault, readonly [number, number]>>> = {
  'host-crash': [180_000, 3_600_000],
  'host-crash-short': [5_000, 120_000],
  'disk-lies': [5_000, 120_000],
  'disk-full': [10_000, 1_800_000],
  'reader-stops': [1_000, 600_000],
  'link-break': [100, 5_000],
  'link-cut': [20_000, 1_800_000],
  'agent-pause': [1_000, 120_000],
  'fence-dead': [60_000, 3_600_000],
  'controller-dies': [1_000, 5_000],
  'controller-pauses': [100, 15_000],
  'controllers-away': [3_600_000, 3_600_000],
  'store-away': [500, 60_000],
  'store-fails-over': [500, 30_000],
  pause: [10_000, 600_000],
};

/** What is said between agent and controller takes so long; now and then much longer. */
export const DELAY = { from: 1, to: 40, slow: 0.02, slowTo: 8_000 };
/** Of acts: how often one does nothing, and how often its answer is lost. */
export const ACT_FATES = { done: 0.92, stuck: 0.05, 'lost-answer': 0.03 } as const;
/**
 * At the worst moment: how often a controller dies between its commit and what it says of it (of a site with `few` hosts; the more hosts, the more
 * commits), a link breaks while rows are on it, and a server
 * that takes the place of another one lacks what that one wrote last, and a BMC dies with its host.
 */
export const WORST = { dies: 0.0005, few: 20, breaks: 0.01, loses: 0.5, together: 0.5 };

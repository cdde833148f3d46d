/** @module What libvirt's error numbers ask of the caller. Source: libvirt's public header virterror.h, virErrorNumber; numbers are never reused. */

const CLASSES = {
  /** No such domain (any more). */
  'no-domain': [42],
  /** Not in this state: a stop of what is shut off, a resume of what runs. */
  'invalid-state': [55],
  /** The disk is locked, the domain exists already, or another job is on it. */
  busy: [28, 68, 83, 87],
  /** Not allowed to this user or on this connection. */
  denied: [29, 45, 79, 88, 94],
  /** This libvirt or its driver cannot do it. */
  unsupported: [3, 67, 74, 84],
  /** The migration would not be safe, or does not fit the target. */
  'migration-refused': [69, 81, 91],
  /** libvirt itself is in trouble: no hypervisor, no system call, another libvirt it could not reach. */
  unavailable: [1, 2, 5, 38, 39],
} as const;

export type LibvirtErrorClass = keyof typeof CLASSES | 'other';

const BY_NUMBER = new Map<number, LibvirtErrorClass>(
  Object.entries(CLASSES).flatMap(([name, numbers]) => numbers.map(n => [n, name as LibvirtErrorClass] as const)),
);

/** The class of a virErrorNumber. @example errorClass(42) // 'no-domain' */
export function errorClass(number: number): LibvirtErrorClass {
  return BY_NUMBER.get(number) ?? 'other';
}

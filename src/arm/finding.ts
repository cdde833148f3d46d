/** @module The shape of a lint finding; the same as that of the machine check lint. */

export interface ArmFinding {
  /** Stable. */
  code: string;
  /** `error` cannot be real, `warning` is not as the architecture says, `info` is worth knowing. */
  severity: 'error' | 'warning' | 'info';
  message: string;
  /** Manual and section. */
  section: string;
  /** The bits of ESR it is about, highest and lowest. */
  bits?: readonly [hi: number, lo: number];
}

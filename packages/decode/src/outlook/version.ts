/** @module Versions of kernels, QEMU and Xen as their packages write them, and ranges of them. */

export interface Version {
  /** Numbers from the left: `6.19.6` is [6, 19, 6]. */
  parts: readonly number[];
  /** Number of the release candidate; undefined for a release. */
  rc?: number;
}

/** Both ends are included; a missing end is open. */
interface VersionRange {
  from?: string;
  to?: string;
}

const SHAPE = /^v?(\d{1,5}(?:\.\d{1,5}){0,3})(?!\d)(?:[-~.]?rc(\d{1,3}))?/;

/**
 * Reads the leading version of `text`: `7.0-rc3`, `6.19~rc4-1`, `7.2.12+deb13-cloud-amd64`. What a distribution adds
 * behind it is not part of the version. Undefined when there is none.
 */
export function parseVersion(text: string): Version | undefined {
  const match = SHAPE.exec(text.trim());
  if (match?.[1] === undefined) return undefined;
  const parts = match[1].split('.').map(Number);
  return match[2] === undefined ? { parts } : { parts, rc: Number(match[2]) };
}

/** Negative, zero or positive as for Array.sort. A missing part is 0; a release candidate comes before its release. */
export function compareVersions(a: Version, b: Version): number {
  for (let i = 0; i < Math.max(a.parts.length, b.parts.length); i++) {
    const difference = (a.parts[i] ?? 0) - (b.parts[i] ?? 0);
    if (difference !== 0) return difference;
  }
  if (a.rc === b.rc) return 0;
  if (a.rc === undefined) return 1;
  return b.rc === undefined ? -1 : a.rc - b.rc;
}

/** True when `version` lies in one of the ranges. A version or a bound that cannot be read is in no range. */
export function versionIn(version: string, ranges: readonly VersionRange[]): boolean {
  const v = parseVersion(version);
  if (v === undefined) return false;
  return ranges.some(({ from, to }) => {
    const low = from === undefined ? undefined : parseVersion(from);
    const high = to === undefined ? undefined : parseVersion(to);
    if ((from !== undefined && low === undefined) || (to !== undefined && high === undefined)) return false;
    return (low === undefined || compareVersions(v, low) >= 0) && (high === undefined || compareVersions(v, high) <= 0);
  });
}

/** True when `version` is `from` or later. */
export function versionSince(version: string, from: string): boolean {
  return versionIn(version, [{ from }]);
}

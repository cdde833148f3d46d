/** @module Versions in their order, without knowing what is on offer. */

const { compare } = new Intl.Collator('en', { numeric: true });

/** A release candidate comes before its release. */
const key = (version: string): string => (version.includes('-rc') ? version.replace('-rc', ' rc') : `${version} z`);

/** Orders versions. @example ['6.19.10', '6.19.6'].toSorted(compareVersions) // ['6.19.6', '6.19.10'] */
export const compareVersions = (a: string, b: string): number => compare(key(a), key(b));

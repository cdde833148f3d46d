import { UsageError } from '@syndrome/decode/common/errors.ts';
import { compareKernels, type KernelOffer } from '../supply/kernels.ts';

/** Is `version` at or after `bound`, where `7.2` as an upper bound means the whole series? */
function within(version: string, from: string | undefined, to: string | undefined): boolean {
  if (from !== undefined && compareKernels(version, from) < 0) return false;
  return (
    to === undefined ||
    compareKernels(version, to) <= 0 ||
    version === to ||
    version.startsWith(`${to}.`) ||
    version.startsWith(`${to}-`)
  );
}

/**
 * The kernels that an axis names, oldest first: `6.16..7.2` (an open end is the oldest or newest on offer), `all`, or a
 * list of versions, series, paths separated by commas.
 * @throws UsageError when a range is empty
 */
export function kernelAxis(text: string, offers: readonly KernelOffer[]): string[] {
  const dots = /^[\w.-]*$/.test(text) ? text.lastIndexOf('..') : -1;
  if (text !== 'all' && dots < 0)
    return text
      .split(',')
      .map(v => v.trim())
      .filter(v => v !== '');
  const [from, to] = dots < 0 ? [] : [text.slice(0, dots) || undefined, text.slice(dots + 2) || undefined];
  const versions = [...new Set(offers.map(o => o.version))]
    .filter(version => within(version, from, to))
    .toSorted(compareKernels);
  if (versions.length === 0) {
    const known = [...new Set(offers.map(o => o.version))].toSorted(compareKernels);
    throw new UsageError('E_MATRIX_RANGE', `no kernel on offer lies in ${text}`, {
      hint: `On offer: ${known[0]} to ${known.at(-1)}; \`syndrome supply list --kernels\` lists them.`,
    });
  }
  return versions;
}

import { UsageError } from '@syndrome/decode/common/errors.ts';
import { AXES, type Axis } from '@syndrome/trace/axes.ts';
import { compareKernels } from '../supply/kernels.ts';

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

/** Whether a choice names versions by what is on offer: `all`, or a range. */
export const asksWhatIsOnOffer = (text: string): boolean =>
  text === 'all' || (text.includes('..') && /^[\w.-]*$/.test(text));

/** Whether a choice of a part may name more than one version: it is then what a matrix varies. */
export const namesSeveral = (text: string): boolean => asksWhatIsOnOffer(text) || text.includes(',');

/** Versions in their order, each once. */
export const inOrder = (offers: readonly { version: string }[]): string[] =>
  [...new Set(offers.map(({ version }) => version))].toSorted(compareKernels);

/**
 * The versions that a choice names, of what is on offer oldest first: `6.16..7.2` (an open end is the oldest or newest on
 * offer), `all`, or a list of versions, series, paths separated by commas.
 * @throws UsageError when a range is empty
 */
export function versionsOf(axis: Axis, text: string, offers: readonly { version: string }[]): string[] {
  if (!asksWhatIsOnOffer(text))
    return text
      .split(',')
      .map(v => v.trim())
      .filter(v => v !== '');
  const dots = text.lastIndexOf('..');
  const [from, to] = dots < 0 ? [] : [text.slice(0, dots) || undefined, text.slice(dots + 2) || undefined];
  const known = inOrder(offers);
  const versions = known.filter(version => within(version, from, to));
  if (versions.length === 0) {
    throw new UsageError('E_MATRIX_RANGE', `no ${AXES[axis].one} on offer lies in ${text}`, {
      hint: `On offer: ${known[0]} to ${known.at(-1)}; \`syndrome supply list\` with --kernels or --versions lists them.`,
    });
  }
  return versions;
}

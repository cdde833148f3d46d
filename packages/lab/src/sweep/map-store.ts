/** @module What a map is made of, from the store: nothing is measured. */
import { SweepError } from './errors.ts';
import { diffOf, type KernelCells, type MapDiff, newestSetups, versionOf } from './map.ts';
import type { SweepSpace } from './spaces.ts';
import type { SweepStore } from './store.ts';

/** What is known of a space, by kernel. */
async function allOf(store: SweepStore, { name, digest }: SweepSpace): Promise<KernelCells[]> {
  const setups = (await store.setups(name)).filter(({ space }) => space === digest);
  const known = await Promise.all(setups.map(async setup => ({ setup, cells: await store.known(setup) })));
  return newestSetups(known).map(({ setup: { kernel }, cells }) => ({ kernel, cells }));
}

/** Whether a kernel is of a version, of which the end may be left out. */
const isOf = (kernel: string, version: string): boolean => {
  const own = versionOf(kernel);
  return kernel === version || own === version || own.startsWith(`${version}.`);
};

const nothingOf = (what: string, has: readonly KernelCells[], hint: string): SweepError =>
  new SweepError('E_MAP_EMPTY', `nothing is known of ${what}`, {
    hint: has.length === 0 ? hint : `There is ${has.map(({ kernel }) => versionOf(kernel)).join(', ')}. ${hint}`,
  });

/**
 * What is known of a space on kernels of these versions; on all without them.
 * @throws SweepError E_MAP_EMPTY
 */
export async function knownOf(
  store: SweepStore,
  space: SweepSpace,
  versions: readonly string[] | undefined,
): Promise<KernelCells[]> {
  const all = await allOf(store, space);
  const hint = `Measure it: syndrome sweep ${space.name}`;
  for (const version of versions ?? [])
    if (!all.some(({ kernel }) => isOf(kernel, version)))
      throw nothingOf(`${space.name} on Linux ${version}`, all, `${hint} --guest-kernel ${version}`);
  if (all.length === 0) throw nothingOf(space.name, all, hint);
  return versions === undefined ? all : all.filter(({ kernel }) => versions.some(version => isOf(kernel, version)));
}

/**
 * What spaces know of both of two kernels, and where these differ. Spaces that know only one of them have no part in it.
 * @throws SweepError E_MAP_EMPTY
 */
export async function knownDiff(
  store: SweepStore,
  spaces: readonly SweepSpace[],
  { from, to }: { from: string; to: string },
): Promise<MapDiff> {
  const found = await Promise.all(spaces.map(async space => ({ space, all: await allOf(store, space) })));
  const named = (all: readonly KernelCells[], version: string): KernelCells | undefined =>
    all.findLast(({ kernel }) => isOf(kernel, version));
  const pairs = found.flatMap(({ space, all }) => {
    const [a, b] = [named(all, from), named(all, to)];
    return a && b
      ? [{ name: space.name, space: space.space, from: a.cells, to: b.cells, kernels: [a.kernel, b.kernel] }]
      : [];
  });
  const [first] = pairs;
  if (first === undefined)
    throw nothingOf(
      `any space on both ${from} and ${to}`,
      found.flatMap(({ all }) => all),
      `Measure one: syndrome sweep ${spaces[0]?.name ?? 'intel-status'} --guest-kernel ${from},${to}`,
    );
  const [a = from, b = to] = first.kernels;
  return diffOf({ from: a, to: b }, pairs);
}

/**
 * What a scenario needs of the configuration of its kernels: known before the run where the configuration of a kernel is,
 * and then a reason to skip it.
 */
import { LabSkip } from './errors.ts';
import { type KnownKernel, type Need, NEEDS } from './kernel-options.ts';
import type { Scenario } from './scenario/load.ts';
import { injectionOf } from './steps/registry.ts';

type Judged = Pick<Scenario, 'steps' | 'expect' | 'without'>;

/** Whether a scenario has a need of the kernel of a layer, by what it injects and by what it expects to be printed. */
function hasNeed({ steps, expect }: Judged, { ways = {}, events = [] }: Need, layers: readonly string[]): boolean {
  const injected = steps.flatMap(step => injectionOf(step, () => 0n)?.way ?? []);
  // That something is never printed needs no kernel that can.
  const wanted = expect.filter(e => e.kind !== 'never' && !(e.kind === 'count' && e.count === 0));
  return (
    injected.some(way => layers.includes(ways[way] ?? '')) ||
    wanted.some(({ condition: { name } }) => events.some(event => layers.some(layer => name === `${layer}.${event}`)))
  );
}

/**
 * Holds the needs of a scenario against its kernels, of which the configuration may be known; the first is that right under
 * the outer QEMU.
 * @throws LabSkip E_LAB_KERNEL_CONFIG for the first option that a kernel lacks, or has where the scenario is about its absence
 */
export function requireConfig(scenario: Judged, kernels: readonly KnownKernel[]): void {
  const without = scenario.without ?? [];
  for (const [i, { layer, release, config }] of kernels.entries()) {
    if (config === undefined) {
      if (layer !== 'guest' || without.length === 0) continue;
      const message = `of Linux ${release} it is not known whether it has ${without.join(' ')}, and the scenario is about a kernel without`;
      throw new LabSkip('E_LAB_KERNEL_CONFIG', message, {
        hint: 'Choose a kernel up to 6.18, or one that is fetched while its configuration is on offer, or put the configuration beside your own image: config-RELEASE beside vmlinuz-RELEASE.',
      });
    }
    const unwanted = layer === 'guest' ? without.find(option => config.has(option)) : undefined;
    if (unwanted !== undefined) {
      const message = `Linux ${release} has ${unwanted}, and the scenario is about a kernel without it`;
      throw new LabSkip('E_LAB_KERNEL_CONFIG', message, { hint: 'Choose a kernel that is built without it.' });
    }
    const layers = i === 0 ? [layer, 'outer'] : [layer];
    const lacking = NEEDS.find(
      need =>
        !config.has(need.option) &&
        (need.of === undefined || config.has(need.of)) &&
        !(layer === 'guest' && without.includes(need.option)) &&
        hasNeed(scenario, need, layers),
    );
    if (lacking === undefined) continue;
    const message = `Linux ${release} is built without ${lacking.option}: ${lacking.without}`;
    throw new LabSkip('E_LAB_KERNEL_CONFIG', message, {
      hint: 'Choose another version, or another flavour (`machine: { flavour: generic }`).',
    });
  }
}

/** @module The machines of a space on one choice of parts: each is put together once, and its cells are known by what runs. */
import { createHash } from 'node:crypto';
import { VERSION } from '@syndrome/decode/common/version.ts';
import { isPlace } from '@syndrome/trace/parts-line.ts';
import { type MachineIdentities, machineIdentities, runIdentity } from '../identity.ts';
import type { LabOutlook } from '../outlook.ts';
import { labelOf, type Point } from '../params/space.ts';
import type { PartChoices } from '../part-choices.ts';
import { type Assembly, assemble, type Services } from '../parts.ts';
import { outlookIn, someValues } from '../run.ts';
import { type RunSpec, scenarioData } from '../run-spec.ts';
import type { Scenario } from '../scenario/load.ts';
import { injects } from '../steps/registry.ts';
import type { SweepSpace } from './spaces.ts';
import type { Setup } from './store.ts';

/** A cell that can be measured: a point with the run that it means. */
export interface Cell {
  point: Point;
  /** JSON of the point: its place in the store. */
  place: string;
  spec: RunSpec;
  identity: string;
  predicted: LabOutlook | undefined;
  /** Cells of the same machine and the same steps until the injection have the same. */
  prefix: string;
}

const hash = (of: unknown): string => createHash('sha256').update(JSON.stringify(of)).digest('hex').slice(0, 32);

/** In the identity of a cell its name is left out: what is measured is the same under any. */
const UNNAMED = { name: 'cell', title: 'cell', outcome: 'none' } as const;

export class SpaceMachines {
  readonly space: SweepSpace;
  readonly setup: Setup;
  readonly #choices: PartChoices;
  readonly #services: Services;
  readonly #machines: Map<string, { assembly: Assembly; identities: MachineIdentities }>;

  private constructor(
    space: SweepSpace,
    setup: Setup,
    of: {
      choices: PartChoices;
      services: Services;
      machines: Map<string, { assembly: Assembly; identities: MachineIdentities }>;
    },
  ) {
    this.space = space;
    this.setup = setup;
    this.#choices = of.choices;
    this.#services = of.services;
    this.#machines = of.machines;
  }

  /** @param first a point, whose machine stands for all: the others differ in what the space says. @throws SupplyError, LabSkip */
  static async open(space: SweepSpace, first: Point, choices: PartChoices, services: Services): Promise<SpaceMachines> {
    const { machine } = space.at(first);
    const assembly = await assemble(machine, choices, services);
    const identities = machineIdentities(assembly, services.supply.cacheDir);
    const parts = Object.fromEntries(Object.entries(assembly.parts).filter(([key]) => !isPlace(key)));
    const setup: Setup = {
      id: hash([space.digest, identities.guest, VERSION]),
      space: space.digest,
      name: space.name,
      kernel: parts['kernel'] ?? '',
      parts,
    };
    const machines = new Map([[JSON.stringify(machine), { assembly, identities }]]);
    return new SpaceMachines(space, setup, { choices, services, machines });
  }

  async #machineOf({ machine }: Scenario): Promise<{ assembly: Assembly; identities: MachineIdentities }> {
    const key = JSON.stringify(machine);
    const known = this.#machines.get(key);
    if (known !== undefined) return known;
    const assembly = await assemble(machine, this.#choices, this.#services);
    const made = { assembly, identities: machineIdentities(assembly, this.#services.supply.cacheDir) };
    this.#machines.set(key, made);
    return made;
  }

  /** What a point means on these parts. @throws ScenarioError, SupplyError, LabSkip */
  async cell(point: Point): Promise<Cell> {
    const found = this.space.at(point);
    const { assembly, identities } = await this.#machineOf(found);
    const predicted = outlookIn(assembly, found.steps, someValues(found.steps));
    // What was predicted is what is expected: the trace of a cell that agrees has the verdict pass.
    const scenario: Scenario = { ...found, title: labelOf(point), outcome: predicted?.outcome ?? 'none' };
    const data = scenarioData(scenario);
    const spec: RunSpec = { ...this.#choices, scenario: data };
    const { run, states } = runIdentity({ ...spec, scenario: { ...data, ...UNNAMED } }, assembly, identities);
    const at = found.steps.findIndex(injects);
    return {
      point,
      place: JSON.stringify(point),
      spec,
      identity: run,
      predicted,
      prefix: states[Math.max(0, at)] ?? '',
    };
  }
}

import { type RunSpec, scenarioData } from '../../run-spec.ts';
import { findScenario } from '../../scenario/load.ts';

/** A scenario, and a run of it. */
export const scenario = findScenario('intel-srao-process');
export const srao: RunSpec = { accel: 'tcg', scenario: scenarioData(scenario) };

/** Another injection behind the same steps, of which Linux dies. */
export const fatal: RunSpec = {
  ...srao,
  scenario: {
    ...srao.scenario,
    steps: [
      ...srao.scenario.steps.slice(0, 5),
      {
        step: 'inject-mce',
        args: { cpu: 0, bank: 1, status: '0xb200000000000000', mcgstatus: '0x4', broadcast: true },
      },
    ],
    expect: ['within 20s: guest.panic'],
    outcome: 'panicked',
  },
};

import { parseExpectation } from '@syndrome/trace/expect/expectation.ts';
import type { PartChoices } from './part-choices.ts';
import type { Scenario } from './scenario/load.ts';

/** A scenario as data, its expectations as text: what `syndrome scenarios --json` prints of it. */
type ScenarioData = Omit<Scenario, 'expect'> & { expect: string[] };

/**
 * All that a run is made of, as data: it goes through JSON and comes back the same. What carries it out (the supply,
 * signals, who is told) stands apart, in `RunServices`.
 *
 *     const spec: RunSpec = { scenario: scenarioData(findScenario('intel-srao-process')), kernel: '6.19' };
 */
export interface RunSpec extends PartChoices {
  scenario: ScenarioData;
  /** Nanoseconds; overrides the scenario's. */
  timeout?: number;
  /** Boot the machine even if its state after the boot is kept, and do not keep it. */
  cold?: boolean;
}

/** A checked scenario as data. */
export function scenarioData(scenario: Scenario): ScenarioData {
  return { ...scenario, expect: scenario.expect.map(e => e.text) };
}

/** The scenario again. @throws UsageError E_EXPECT_SYNTAX for data that no checked scenario has given. */
export function scenarioOf(data: ScenarioData): Scenario {
  return { ...data, expect: data.expect.map(parseExpectation) };
}

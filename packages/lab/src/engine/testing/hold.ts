/** Leads a machine to a point, forks it, forks the fork, and says which processes that are; then it waits to be killed. */
import { Hub } from '../../fork/hub.ts';
import { forkLibrary } from '../../fork/library.ts';
import { prepareRun } from '../../run.ts';
import { scenarioData } from '../../run-spec.ts';
import { findScenario } from '../../scenario/load.ts';
import { Supply } from '../../supply/supply.ts';
import { TraceRecorder } from '../../trace/recorder.ts';
import { StoppedMachines } from '../stopped-machines.ts';
import { plainHeader } from './header.ts';

const supply = await Supply.open();
const scenario = findScenario('intel-srao-process');
const run = await prepareRun({ scenario: scenarioData(scenario), accel: 'tcg' }, { supply });
const hub = await Hub.open();
const machines = new StoppedMachines(hub, await forkLibrary(supply), { supply });
const point = await machines.at(run, scenario, 1);
const recorder = new TraceRecorder(plainHeader, undefined, point.recorded);
const { process: fork } = await point.fork(recorder, AbortSignal.timeout(60_000));
console.log(JSON.stringify({ pids: [point.pid, fork.pid] }));
setInterval(() => {}, 60_000);

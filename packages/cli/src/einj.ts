import { isAbsolute } from 'node:path';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { checkOutput } from '@syndrome/base/disk/output-file.ts';
import { FLAT_GUEST } from '@syndrome/lab/machines/registry.ts';
import { runScenario } from '@syndrome/lab/run.ts';
import { scenarioData } from '@syndrome/lab/run-spec.ts';
import { parseScenario, type Scenario } from '@syndrome/lab/scenario/load.ts';
import type { TraceEvent } from '@syndrome/trace/event.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { openSupply, type SupplyOptions } from './open-supply.ts';
import { type GlobalOptions, print, say } from './output.ts';
import { checkUserParts, partChoices, type PartOptions, services } from './part-options.ts';

interface Options extends GlobalOptions, SupplyOptions, PartOptions {
  files?: string;
  memory: number;
  cpus: number;
  flavour: string;
  trace?: string;
  /** Seconds. */
  timeout: number;
}

const PROGRAM = 'command';

/** A guest whose firmware is the lab, and in it one program. */
function scenarioFor(command: readonly string[], { files, memory, cpus, flavour, timeout }: Options): Scenario {
  const machine = {
    kind: FLAT_GUEST,
    cpus,
    memory,
    flavour,
    apei: true,
    modules: ['einj'],
    ...(files === undefined ? {} : { files }),
  };
  const scenario = {
    name: 'einj',
    title: 'A program of yours with EINJ',
    about: 'The lab is the firmware: what the program asks for by EINJ is reported by GHES.',
    why: 'Suites that need EINJ hardware run unchanged.',
    sources: ['ACPI 6.5, 18.6 Error Injection'],
    machine,
    steps: [{ exec: { process: PROGRAM, command, within: `${timeout}s` } }],
    expect: [{ [`within ${timeout}s`]: `process.exit proc=${PROGRAM}` }],
    outcome: 'none',
    timeout: `${timeout}s`,
  };
  return parseScenario(JSON.stringify(scenario), 'einj.yaml');
}

/**
 * `syndrome einj`: the guest's console on stdout, what the lab does on stderr. The exit code is 0 where the program's is, 1
 * for another one, and for all else that of a run.
 */
export async function einj(command: readonly string[], options: Options): Promise<void> {
  if (!isAbsolute(command[0] ?? '')) {
    throw new UsageError('E_USAGE', 'the command begins with the absolute path of a program in the guest', {
      hint: 'It comes from --files: syndrome einj --files ./suite -- /run.sh',
    });
  }
  if (options.trace !== undefined) checkOutput('--trace', options.trace, { stream: true });
  const signal = interruptSignal();
  const scenario = scenarioFor(command, options);
  const supply = await openSupply(options, signal);
  await checkUserParts([scenario], options, supply);
  let running = false;
  let ended: TraceEvent | undefined;
  const onEvent = (event: TraceEvent): void => {
    if (event.name === 'lab.step') running = true;
    if (event.name === 'process.exit' && event.fields?.proc === PROGRAM) ended ??= event;
    if (running && event.source === 'console' && event.raw !== undefined) print(event.raw);
    if (event.name === 'lab.firmware-asked') {
      const { error, addr, status } = event.fields ?? {};
      const at = typeof addr === 'bigint' ? ` at 0x${addr.toString(16)}` : '';
      say(`firmware: asked for a ${String(error)} error${at}: ${String(status)}`);
    }
    if (event.name === 'lab.firmware-acknowledged') say('firmware: the guest has taken the record');
  };
  const spec = { ...partChoices(options), scenario: scenarioData(scenario) };
  const result = await runScenario(spec, {
    ...services(supply),
    signal,
    ...(options.trace === undefined ? {} : { trace: options.trace }),
    onEvent,
  });
  say(`trace ${result.trace}`);
  if (ended === undefined) {
    if (result.problem !== undefined) say(`syndrome: ${result.problem.message} [${result.problem.code}]`);
    process.exitCode = result.verdict === 'pass' ? EXIT.error : exitCodeOf([result.verdict]);
    return;
  }
  const { status, code, signal: by } = (ended.fields ?? {}) as Readonly<Record<string, unknown>>;
  say(`${command.join(' ')}: ${String(status)} ${String(code ?? by)}`);
  process.exitCode = code === 0 ? EXIT.pass : EXIT.fail;
}

/** A run as a folder with which another person sees it again: QEMU's line, its files, what is said to it, what was seen. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { LabError, LabInterrupted } from '../errors.ts';
import { machineKind } from '../machines/registry.ts';
import { prepareRun, type RunResult, runScenario, type RunServices } from '../run.ts';
import { type RunSpec, scenarioOf } from '../run-spec.ts';
import { readTrace } from '../trace/read-file.ts';
import { channelsOf, requireNew, writeFolder } from './folder.ts';
import { readme, type Replay } from './readme.ts';
import { scriptOf, scriptText } from './script.ts';

/** A folder that was written. */
interface Repro {
  folder: string;
  result: RunResult;
  files: string[];
  /** The folder as its own program played it; undefined where it was not asked to, or Python is missing. */
  replay?: Replay;
}

interface Options extends RunServices {
  folder: string;
  /** Play the folder once it is written. */
  check?: boolean;
  onCheck?: () => void;
}

/**
 * Runs a scenario from a cold machine and writes what it came to into a folder.
 * @throws LabError E_LAB_REPRO where nothing can be read off its trace: the verdict is error or skip, or a debugger took part
 */
export async function makeRepro(spec: RunSpec, { folder, check, onCheck, ...services }: Options): Promise<Repro> {
  requireNew(folder);
  const cold: RunSpec = { ...spec, cold: true, accel: 'tcg' };
  const scenario = scenarioOf(spec.scenario);
  const prepared = await prepareRun(cold, services);
  const { assembly } = prepared;
  const work = mkdtempSync(join(tmpdir(), 'repro-'));
  try {
    const trace = join(work, 'trace.ndjson');
    const result = await runScenario(cold, { ...services, prepared, trace });
    if (result.verdict === 'error' || result.verdict === 'skip') {
      const why = result.problem?.message ?? 'the run could not be judged';
      throw new LabError('E_LAB_REPRO', `there is nothing to show: ${why}`, {
        hint: result.problem?.hint ?? `See it with \`syndrome run ${scenario.name}\`.`,
      });
    }
    const { header, events } = await readTrace(trace);
    if (events.some(({ source }) => source === 'gdb')) {
      throw new LabError(
        'E_LAB_REPRO',
        'a debugger took part in this run, and a script of lines cannot do what it did',
        {
          hint: 'The trace has all that it did: syndrome run --trace FILE.',
        },
      );
    }
    const nested = machineKind(assembly.machine).vmm !== undefined;
    const script = scriptOf({ header, events, steps: scenario.steps, nested });
    const expected = script.flatMap(line => (line.do === 'expect' ? [`${line.channel} = ${line.text}`] : []));
    const { cacheDir } = services.supply;
    const copied = writeFolder(folder, assembly, {
      'steps.txt': scriptText(script, channelsOf(assembly)),
      'trace.ndjson': readFileSync(trace, 'utf8').replaceAll(cacheDir, 'CACHE'),
    });
    const qemu = assembly.files.qemu.join(' ');
    if (check) onCheck?.();
    const replay = check ? await play(folder, qemu, services.signal) : undefined;
    const files = copied.map(({ name }) => ({ name, ...measured(join(folder, name)) }));
    const facts = { scenario, result, qemu: assembly.parts.qemu ?? 'unknown', files, expected, replay };
    writeFileSync(join(folder, 'README.md'), readme(facts));
    const names = ['README.md', 'machine.sh', 'reproduce.py', 'steps.txt', 'trace.ndjson'];
    return {
      folder,
      result,
      files: [...names, ...files.map(({ name }) => name)],
      ...(replay === undefined ? {} : { replay }),
    };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function measured(file: string): { bytes: number; sha256: string } {
  return { bytes: statSync(file).size, sha256: createHash('sha256').update(readFileSync(file)).digest('hex') };
}

/** Plays a folder by its own program with a QEMU; undefined where there is no Python. @throws LabInterrupted */
async function play(folder: string, qemu: string, signal: AbortSignal | undefined): Promise<Replay | undefined> {
  const child = spawn('python3', [join(folder, 'reproduce.py')], {
    env: { ...process.env, QEMU: qemu },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const stop = (): void => void child.kill('SIGTERM');
  signal?.addEventListener('abort', stop);
  try {
    const ended = new Promise<number | undefined>((resolve, reject) => {
      child.once('error', error =>
        (error as NodeJS.ErrnoException).code === 'ENOENT' ? resolve(undefined) : reject(error),
      );
      child.once('close', (code, name) => (code === null && name === null ? resolve(undefined) : resolve(code ?? 143)));
    });
    const [output, status] = await Promise.all([text(child.stdout), ended]);
    if (signal?.aborted) throw new LabInterrupted();
    return status === undefined ? undefined : { status, output };
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

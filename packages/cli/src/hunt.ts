/** @module `syndrome hunt`: machine checks by chance, led by what is new. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import { checkOutputFolder, writeOutputFolder } from '@syndrome/base/disk/output-folder.ts';
import type { McaVendor } from '@syndrome/decode/mca/record.ts';
import type { EngineKind } from '@syndrome/lab/engine/engine.ts';
import { openEngine } from '@syndrome/lab/engine/open.ts';
import { LabInterrupted } from '@syndrome/lab/errors.ts';
import { hunt as huntFor, type HuntReport } from '@syndrome/lab/sweep/hunt/hunt.ts';
import { SweepStore } from '@syndrome/lab/sweep/store.ts';
import { interruptSignal } from './interrupt.ts';
import { openSupply, type SupplyOptions } from './open-supply.ts';
import { partChoices, type PartOptions, services } from './part-options.ts';
import { type GlobalOptions, print, printJson, say } from './output.ts';

interface Options extends GlobalOptions, SupplyOptions, PartOptions {
  vendor: McaVendor;
  limit: number;
  for?: number;
  order: number;
  jobs: number;
  engine?: EngineKind;
  out?: string;
  json?: boolean;
}

function huntText({
  vendor,
  seed,
  runs,
  seconds,
  cpuSeconds,
  features,
  found,
  corpus,
  caught,
  failed,
}: HuntReport): string[] {
  return [
    `${vendor}, seed ${seed}: ${runs} runs, ${seconds.toFixed(1)} s, ${(cpuSeconds / Math.max(1, runs)).toFixed(3)} CPU-seconds each; ${failed} not carried out`,
    `${features} kinds of behaviour known, ${found.length} of them new; ${corpus} runs kept`,
    ...found.map(feature => `  new: ${feature}`),
    ...caught.flatMap(({ defect, outcome, runs: times, scenario, trace }) => [
      '',
      `${defect}`,
      `  ${times} runs, outcome ${outcome}${trace === undefined ? '' : `, trace ${trace}`}`,
      ...scenario.split('\n').flatMap(line => (line.startsWith('  - ') ? [`  ${line}`] : [])),
    ]),
  ].map(line => safeText(line, 1000));
}

const isOurs = (_: string, names: readonly string[]): boolean => names.every(name => /^hunted-\d+\.yaml$/.test(name));

/** The scenarios of what was caught, as files. */
async function* scenariosOf({ caught }: HuntReport): AsyncGenerator<{ name: string; content: string }> {
  for (const [i, { scenario }] of caught.entries()) yield { name: `hunted-${i + 1}.yaml`, content: scenario };
}

/** `syndrome hunt`. */
export async function hunt(options: Options): Promise<void> {
  const { out } = options;
  if (out !== undefined) checkOutputFolder('--out', out, isOurs);
  const signal = interruptSignal();
  const supply = await openSupply(options, signal);
  const by = { ...services(supply), signal };
  const choices = partChoices(options);
  const store = await SweepStore.open();
  const engine = await openEngine({ services: by, ...(options.engine === undefined ? {} : { kind: options.engine }) });
  let report: HuntReport;
  try {
    report = await huntFor({
      vendor: options.vendor,
      seed: options.order,
      jobs: options.jobs,
      limit: options.limit,
      ...(options.for === undefined ? {} : { deadline: options.for }),
      choices,
      engine,
      corpus: store.corpus(choices.kernel ?? 'newest'),
      signal,
      onNew: (features, runs) => say(safeText(`run ${runs}: ${features.join('; ')}`, 300)),
      onCaught: defect => say(safeText(`a defect: ${defect}`, 300)),
    });
  } catch (error) {
    throw signal.aborted ? new LabInterrupted() : error;
  } finally {
    await engine.close();
    await store.close();
  }
  if (out !== undefined && report.caught.length > 0) await writeOutputFolder(out, scenariosOf(report), isOurs);
  if (options.json) printJson(report);
  else for (const line of huntText(report)) print(line);
}

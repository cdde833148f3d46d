import { type Command, InvalidArgumentError, Option } from 'commander';
import { ENGINE_KINDS } from '@syndrome/lab/engine/engine.ts';
import { AXES, AXIS_NAMES, type Axis } from '@syndrome/trace/axes.ts';
import { engineOption } from './engine-option.ts';
import { PARAM } from './param-option.ts';

/** The parts that a bisection may be over, as their options are written. */
const OVER: ReadonlyMap<string, Axis> = new Map(AXIS_NAMES.map(axis => [AXES[axis].option.slice(2), axis]));

const count = (value: string): number => {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError('expected a whole number of up to 9 digits.');
  return Number(value);
};

/** Commands about many runs: one scenario on many kernels, and a folder of traces. */
export function addManyCommands(
  program: Command,
  partOptions: (command: Command) => Command,
  merged: <T>(program: Command, options: object) => T,
  deadline: (value: string) => number,
): void {
  partOptions(program.command('matrix'))
    .description('one scenario over many kernels, or versions of QEMU or Xen: a table of outcomes, changes marked')
    .argument('<scenario>', 'a name or a YAML file')
    .option('--jobs <n>', 'machines at a time; auto: as many as there are cores and memory for', 'auto')
    .option('--json', 'machine-readable')
    .option('--html <file>', 'write one page that opens without a server: the table, and behind each cell its trace')
    .option(...PARAM)
    .option('--fresh', 'forget what an interrupted matrix has found out')
    .option('--cold', 'boot every machine, keep no state')
    .addOption(engineOption('restore'))
    .option('--timeout <seconds>', "give a run up after this long, instead of the scenario's time", deadline)
    .addHelpText(
      'after',
      `
--guest-kernel, --host-kernel, --qemu, --host-qemu (the VMM of a nested machine) and --xen take a range (6.16..7.2, open at
either end), all, or a list separated by commas: what several versions are named of is what the table is over, guest kernels
where nothing is. Only --host-kernel may have several besides, and --cpu, whose models are separated by semicolons.
A version that cannot start the machine is a cell that says why. An interrupted matrix, started again, goes on where it
stopped; a finished one measures again.

Examples:
  syndrome matrix amd-deferred --guest-kernel 6.12..7.2 --html matrix.html
  syndrome matrix intel-srar-process --guest-kernel 6.18,6.19,./bzImage
  syndrome matrix intel-srao-process --qemu all
  syndrome matrix amd-deferred --host-qemu 7.2,10.0,11.1 --guest-kernel 6.19.8
  syndrome matrix xen-ce --xen 4.17,4.20`,
    )
    .action(async (name: string, options: object) =>
      (await import('./matrix.ts')).matrix(name, merged(program, options)),
    );

  partOptions(program.command('sweep'))
    .description(
      'the cells of a space of records and contexts, each measured once and judged by what the rules predict',
    )
    .argument('<space>', 'a name or a YAML file')
    .option('--limit <n>', 'measure so many new cells, and no more', count)
    .option('--take <points>', 'full, pairwise, or how many points by chance', 'full')
    .option('--order <n>', 'seed of the order and of what is taken by chance', count, 1)
    .option('--jobs <n>', 'cells at a time; auto: four for each core', 'auto')
    .addOption(
      new Option('--engine <engine>', 'how a machine comes to the injection; what it refuses goes to the next').choices(
        ENGINE_KINDS,
      ),
    )
    .option('--again', 'measure what is known as well')
    .option('--json', 'machine-readable')
    .addHelpText(
      'after',
      `
A space is a scenario with parameters that expects nothing: what each point comes to is compared with the outlook of the
rules. --guest-kernel takes a range (6.16..7.2), all, or a list separated by commas. What was measured is kept in the state
folder, and not measured again; an interrupted sweep goes on where it stopped. Of 100 cells one is measured again in a
machine of its own, of 1,000 one in a machine that is booted: a cell that is another one alone stops the sweep.

Examples:
  syndrome sweep intel-status --limit 500
  syndrome sweep intel-status --take pairwise --guest-kernel 6.12,6.19,7.2
  syndrome sweep ./my-space.yaml --limit 100 --json | jq .findings`,
    )
    .action(async (name: string, options: object) =>
      (await import('./sweep.ts')).sweep(name, merged(program, options)),
    );

  program
    .command('map')
    .description(
      'what sweeps have measured of a space, its points merged into classes that come to the same on every kernel',
    )
    .argument('<space>', 'a name or a YAML file')
    .option('--guest-kernel <versions>', 'of these kernels only, separated by commas (6.18 is any 6.18.y)')
    .option('--json', 'machine-readable')
    .option('--html <file>', 'write one page that opens without a server: the classes over the kernels')
    .addHelpText(
      'after',
      `
Only points that are known on every kernel of the map are in it. A map measures nothing; a sweep does.

Examples:
  syndrome map intel-status
  syndrome map amd-status --guest-kernel 6.18,6.19 --html map.html`,
    )
    .action(async (name: string, options: object) => (await import('./map.ts')).map(name, merged(program, options)));

  program
    .command('diff-map')
    .description('what changed between two kernels, of all that sweeps have measured on both, in words')
    .argument('<from>', 'version of a kernel; 6.18 is any 6.18.y')
    .argument('<to>', 'version of a kernel')
    .option('--space <space>', 'of this space only, a name or a YAML file')
    .option('--json', 'machine-readable')
    .addHelpText(
      'after',
      '\nExamples:\n  syndrome diff-map 6.18.15 6.19.6\n  syndrome diff-map 6.18 6.19 --space amd-status --json',
    )
    .action(async (from: string, to: string, options: object) =>
      (await import('./map.ts')).diffMap(from, to, merged(program, options)),
    );

  partOptions(program.command('hunt'))
    .description('machine checks and steps by chance, led by what is new; what shows a defect becomes a scenario')
    .addOption(new Option('--vendor <vendor>', 'whose machine checks').choices(['intel', 'amd']).default('intel'))
    .option('--limit <n>', 'so many runs', count, 500)
    .option('--for <seconds>', 'begin no run after this long', deadline)
    .option('--order <n>', 'seed of what is tried', count, 1)
    .option('--jobs <n>', 'runs at a time; with 1 a hunt is the same for a seed and a corpus', count, 4)
    .addOption(engineOption('fork'))
    .option(
      '--out <folder>',
      'where scenarios of defects go: a new or empty folder, or that of a hunt before, which is replaced',
    )
    .option('--json', 'machine-readable')
    .addHelpText(
      'after',
      `
New is an outcome, a signal, what became of a page, or a kind of line that is printed. What showed something new is kept in the
state folder, and varied by this hunt and the next. A defect is a WARNING, a BUG, an oops, a stall, a guest that hangs or a VMM
that dies: it is made as small as still shows it.

Examples:
  syndrome hunt --limit 2000 --out defects
  syndrome hunt --vendor amd --guest-kernel 6.19.6 --for 600 --json | jq .caught`,
    )
    .action(async (options: object) => (await import('./hunt.ts')).hunt(merged(program, options)));

  partOptions(program.command('bisect'))
    .description(
      'between which two kernels (or versions of QEMU or Xen) on offer does the verdict of a scenario change?',
    )
    .argument('<scenario>', 'a name or a YAML file')
    .addOption(new Option('--good <version>', 'a version on which it passes').makeOptionMandatory())
    .addOption(new Option('--bad <version>', 'a version on which it fails; older or newer').makeOptionMandatory())
    .addOption(
      new Option('--over <part>', 'whose versions these are').choices([...OVER.keys()]).default('guest-kernel'),
    )
    .addOption(engineOption('restore'))
    .option('--json', 'machine-readable: what was found, and what was tried as a matrix')
    .option('--html <file>', 'write one page: what was tried over all versions between, and behind each cell its trace')
    .addHelpText(
      'after',
      `
The pair that is found is tried once more; a verdict that is not steady is told, and the exit code is 3.`,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  syndrome bisect amd-deferred --good 6.18.15 --bad 6.19.6\n  syndrome bisect amd-deferred --good 6.19.10 --bad 6.19.6 --html bisect.html\n  syndrome bisect amd-deferred --over host-qemu --good 7.2 --bad 11.1.3',
    )
    .action(async (name: string, options: { over: string }) =>
      (await import('./bisect.ts')).bisect(name, merged(program, { ...options, over: OVER.get(options.over) })),
    );

  partOptions(program.command('repro'))
    .description('a run as a folder for a bug report: with it another person sees it again, without this program')
    .argument('<scenario>', 'a name or a YAML file')
    .option('--out <folder>', 'where it goes; it must not be there yet (default: repro-NAME)')
    .option('--no-check', 'do not play the folder by its own program when it is written')
    .option('--timeout <seconds>', "give the run up after this long, instead of the scenario's time", deadline)
    .option('--json', 'what was written as one JSON object on stdout')
    .option('-q, --quiet', 'no time line')
    .addHelpText(
      'after',
      `
The machine is booted cold, and emulated, so that the folder does not depend on this computer. In it are QEMU's line
(machine.sh), kernels and initramfs, all that was said to the machine and what came back (steps.txt), a program of
Python's own library that plays it (reproduce.py), the trace, and a README with what is expected and what was seen.

Exit codes:
  0  the folder is written and, played by its own program, shows all that was expected; whatever the verdict is
  1  it is written, and does not show it again
  3  nothing could be shown: the run was not judged

Examples:
  syndrome repro intel-srao-process
  syndrome repro amd-deferred --guest-kernel 6.19.6 --out bug
  cd bug && QEMU=qemu-system-x86_64 python3 reproduce.py`,
    )
    .action(async (name: string, options: object) =>
      (await import('./repro.ts')).repro(name, merged(program, options)),
    );

  program
    .command('report')
    .description('a folder of traces as one static site: the worst first, each failed run beside one that passed')
    .argument('<folder>', 'looked through for traces, matrices (`matrix --json`) and JUnit files')
    .option(
      '--out <folder>',
      'where the site goes; a report that stands there is replaced, nothing else',
      'syndrome-report',
    )
    .option('--title <text>', 'what stands on top')
    .addOption(new Option('--json', 'the report as one JSON object on stdout').conflicts('markdown'))
    .option('--markdown', 'the report as Markdown on stdout, for the summary of a CI job')
    .addHelpText(
      'after',
      `
The site opens from a file and from any web server, and loads nothing: index.html needs no script, runs.html carries the traces.
A trace that is cut, damaged or of a newer version is listed as such.

Exit codes:
  0  the report is written, whatever the runs came to: that is the exit code of \`syndrome run\`
  2  the folder cannot be read, or --out has something else in it
  3  the report could not be written
  4  the folder has no trace, matrix or test of the lab; the report says so
  5  the report is written, and of the input something was cut or could not be read

Examples:
  mkdir results; SYNDROME_STATE=results syndrome run --all --junit results/junit.xml; syndrome report results
  syndrome report results --out public --title "Nightly $(date -I)"
  syndrome report results --markdown >> "$GITHUB_STEP_SUMMARY"
  syndrome report results --json | jq '.counts'`,
    )
    .action(async (folder: string, options: object) =>
      (await import('./report.ts')).report(folder, merged(program, options)),
    );
}

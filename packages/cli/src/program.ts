import { Argument, Command, InvalidArgumentError, Option, type OptionValues } from 'commander';
import { VERSION } from '@syndrome/decode/common/version.ts';
import { decodeCommands, repeated } from './decode-commands.ts';
import { EXIT_TEXT } from './exit-codes.ts';
import { addAuditCommands } from './audit-commands.ts';
import { addApiCommands } from './api-commands.ts';
import { addEinjCommand } from './einj-command.ts';
import { engineOption } from './engine-option.ts';
import { addFleetCommands } from './fleet-commands.ts';
import { addManyCommands } from './many-commands.ts';
import { needLinux } from './need-linux.ts';
import { PARAM } from './param-option.ts';
import { addSimulateCommand } from './simulate-command.ts';
import { addStoreCommands } from './store-commands.ts';

/** What every command that uses packages accepts. */
function supplyOptions(command: Command): Command {
  return command
    .option('--cache <dir>', 'where packages are kept (default: $SYNDROME_CACHE, else $XDG_CACHE_HOME/syndrome)')
    .option('--mirror <url>', 'Debian mirror (default: $SYNDROME_MIRROR, else the one apt is configured with)')
    .option('--offline', 'use the cache only');
}

const seed = (value: string): number => {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError('expected a whole number of up to 15 digits.');
  return Number(value);
};

/** Every part of a machine can be the user's own. */
function partOptions(command: Command): Command {
  return supplyOptions(command)
    .option('--qemu <version|path>', 'a version on offer (10.0.13), a series (10.0), newest, or your own QEMU binary')
    .addOption(
      new Option(
        '--guest-kernel <version|path>',
        'a version (7.2.12), a series (6.19), newest, each with :generic or :cloud for that flavour of it; or your own bzImage or Image',
      ).conflicts('kernel'),
    )
    .option('--kernel <version|path>', 'the same as --guest-kernel')
    .option('--host-kernel <version|path>', 'the Linux of the host layer of a nested machine')
    .option('--host-qemu <version|path>', 'the QEMU inside the host layer, where the VMM is one')
    .addOption(
      new Option('--host <where>', 'local: this very machine is the host layer (root, AMD-V, hwpoison_inject)').choices(
        ['local'],
      ),
    )
    .option('--poison-this-host', 'consent: pages of this very machine may be poisoned (with --host local)')
    .option('--xen <version|path>', 'a version on offer, or your own Xen')
    .option('--firmware <path>', 'your own UEFI code (arm64)')
    .option('--cpu <model>', "QEMU -cpu model instead of the scenario's")
    .option('--guest-cmdline <args>', 'added to the guest kernel command line')
    .addOption(
      new Option('--accel <accel>', 'kvm only where a stock guest really runs')
        .choices(['auto', 'tcg', 'kvm'])
        .default('auto'),
    )
    .option('--seed <n>', 'of the random numbers that an emulated machine gets: the same ones in each run', seed);
}

function qmpOption(command: Command): Command {
  return command.requiredOption('--qmp <socket>', 'QMP socket of the VM: a path, or host:port');
}

const deadline = (value: string): number => {
  const seconds = Number(value);
  if (!(seconds > 0 && seconds <= 86_400)) throw new InvalidArgumentError('expected seconds, up to 86400.');
  return seconds;
};

/** The options of a command with those of the program itself; commander leaves them untyped. */
const merged = <T>(program: Command, options: OptionValues): T => ({ ...program.opts(), ...options }) as T;

const repeatCount = (value: string): number => {
  if (!/^\d{1,5}$/.test(value) || Number(value) < 1)
    throw new InvalidArgumentError('expected a number from 1 to 99999.');
  return Number(value);
};

const portNumber = (value: string): number => {
  if (!/^\d{1,5}$/.test(value) || Number(value) < 1 || Number(value) > 65_535)
    throw new InvalidArgumentError('expected a number from 1 to 65535.');
  return Number(value);
};

/** Commands that start machines, or make what a machine needs. */
const LAB: ReadonlySet<string> = new Set(['run', 'matrix', 'bisect', 'repro', 'einj', 'supply', 'doctor']);

/** Builds the command tree. Actions are loaded when they are called, so that `--help` stays fast. */
export function buildProgram(): Command {
  const program = new Command('syndrome')
    .description('Hardware memory errors in virtual machines: inject, trace, decode, judge.')
    .version(VERSION)
    .option('--color', 'colours even where the output is no terminal')
    .option('--no-color', 'no colours')
    .showSuggestionAfterError()
    .showHelpAfterError('(see --help)')
    .addHelpText(
      'after',
      `\nExit codes:\n${EXIT_TEXT.map(([code, text]) => `  ${code.padEnd(9)} ${text}`).join('\n')}\n
Examples:
  syndrome run intel-srao-process           boot a machine, inject, judge
  syndrome run --all --junit result.xml     every scenario
  syndrome scenarios --explain xen-ce       what is injected and why that must happen
  syndrome show TRACE                       the time line of an earlier run
  dmesg | syndrome decode                   every error record in a log, explained
  syndrome doctor                           what this machine can do`,
    );

  partOptions(program.command('run'))
    .description('run scenarios: machine, injection, verdict')
    .argument('[scenario...]', 'names of `syndrome scenarios`, or YAML files')
    .option('--all', 'every scenario that comes with the program')
    .option('--json', 'one JSON object a run on stdout')
    .option('--junit <file>', 'write a JUnit XML file')
    .addOption(new Option('--ktap', 'KTAP on stdout').conflicts('json'))
    .option(...PARAM)
    .option('--trace <file>', 'where the trace goes (one scenario only)')
    .option('--html <file>', 'write the run as one page to look at: its trace, with lanes (one scenario only)')
    .option('--timeout <seconds>', "give a run up after this long, instead of the scenario's time", deadline)
    .addOption(
      new Option('--repeat <n>', 'run each scenario so often and show the distribution of outcomes and times')
        .argParser(repeatCount)
        .conflicts(['trace', 'html', 'printCmd']),
    )
    .option('--cold', 'boot the machine even if its state after an earlier boot is kept')
    .addOption(engineOption('restore; fork with --repeat'))
    .addOption(
      new Option('--print-cmd', 'print the exact QEMU command line and do not run it').conflicts([
        'json',
        'junit',
        'ktap',
        'trace',
        'html',
      ]),
    )
    .addOption(new Option('-q, --quiet', 'only the verdicts').conflicts('verbose'))
    .option('-v, --verbose', 'every console line and every QMP exchange too')
    .addOption(
      new Option('--exit-code <style>', 'bisect: what `git bisect run` understands')
        .choices(['default', 'bisect'])
        .default('default'),
    )
    .addHelpText(
      'after',
      `\nExamples:
  syndrome run intel-srao-process
  syndrome run intel-srao-process --guest-kernel 6.19
  syndrome run amd-uc-plain --guest-kernel ~/linux/arch/x86/boot/bzImage -v
  syndrome run xen-ce xen-uc-fatal --json | jq .verdict
  git bisect run syndrome run my-case.yaml --kernel arch/x86/boot/bzImage --exit-code bisect`,
    )
    .action(async (names: string[], options: OptionValues) =>
      (await import('./run.ts')).run(names, merged(program, options)),
    );

  addManyCommands(program, partOptions, merged, deadline);
  addEinjCommand(program, partOptions, merged, deadline);
  addFleetCommands(program, supplyOptions, merged, deadline);
  addStoreCommands(program, merged);
  addAuditCommands(program, merged);
  addApiCommands(program, merged);
  addSimulateCommand(program, merged);

  program
    .command('scenarios')
    .description('list the scenarios, or explain one')
    .argument('[scenario]', 'a name or a YAML file')
    .option(
      '--explain <word>',
      'what is injected, and why that must happen; or a step, a machine or an event of its file',
    )
    .option('--json', 'machine-readable')
    .option('--schema', 'print the JSON Schema of scenario files')
    .addHelpText(
      'after',
      `\nExamples:
  syndrome scenarios
  syndrome scenarios intel-srao-process     what is injected, and why its outcome must follow
  syndrome scenarios --explain my-case.yaml
  syndrome scenarios --explain inject-mce   a step and its arguments; so machines and events
  syndrome scenarios --json | jq -r .name`,
    )
    .action(async (name: string | undefined, options: OptionValues) =>
      (await import('./scenarios.ts')).scenarios(name, merged(program, options)),
    );

  program
    .command('show')
    .description('the time line and the verdict of a trace')
    .argument('<trace>', 'the .ndjson file of a run')
    .option('-a, --all', 'every console line and every QMP exchange too')
    .option('--html <file>', 'write it as one page to look at, which opens from a file and loads nothing')
    .option('--json', 'the judgement as JSON')
    .addHelpText(
      'after',
      `\nThe exit code is that of the verdict.

Examples:
  syndrome run xen-ce --trace xen-ce.ndjson; syndrome show xen-ce.ndjson
  syndrome show xen-ce.ndjson --all | less
  syndrome show xen-ce.ndjson --html xen-ce.html
  syndrome show xen-ce.ndjson --json | jq .expectations`,
    )
    .action(async (file: string, options: OptionValues) =>
      (await import('./show.ts')).show(file, merged(program, options)),
    );

  program
    .command('compare')
    .description('two traces beside each other, and the first thing that differs')
    .argument('<trace>', 'the .ndjson file of a run: A')
    .argument('<other-trace>', 'that of another run: B')
    .option('--html <file>', 'write both as one page, with the first difference marked')
    .option('--json', 'one JSON object')
    .addHelpText(
      'after',
      `
The runs are aligned at the injection and by order: the first event of a name with the first of that name in the other run,
and so on. Times do not matter, nor does which of two channels (console, agent, QMP) was heard first, nor do addresses, process
numbers and what the machines were made of.

Exit codes:
  0  both tell the same
  1  they differ
  2  a file is no trace
  3  a trace is cut or damaged, or a run broke off: what is missing may be the difference

Examples:
  syndrome run amd-deferred --guest-kernel 6.19.6 --trace bad.ndjson
  syndrome run amd-deferred --guest-kernel newest --trace good.ndjson
  syndrome compare bad.ndjson good.ndjson
  syndrome compare bad.ndjson good.ndjson --html difference.html
  syndrome compare bad.ndjson good.ndjson --json | jq '.rows[.first].name'`,
    )
    .action(async (a: string, b: string, options: OptionValues) =>
      (await import('./compare.ts')).compare(a, b, merged(program, options)),
    );

  program
    .command('web')
    .description('look at traces and matrices in a browser, and at runs as they go on')
    .argument('[path...]', 'folders and files besides the state folder, where runs and matrices keep theirs')
    .addOption(new Option('--port <n>', 'port of 127.0.0.1 (default: a free one)').argParser(portNumber))
    .addOption(new Option('--socket <path>', 'listen on a unix socket of yours instead').conflicts('port'))
    .option('--open', 'open the link in the browser of the desktop')
    .option('--state <dir>', 'another state folder (default: $SYNDROME_STATE, else $XDG_STATE_HOME/syndrome)')
    .option('--json', 'where it listens, as one JSON object')
    .addHelpText(
      'after',
      `
Only this machine can connect, and it only reads. The link that is printed is good for one browser: other users of the
machine can connect to a port too. A unix socket is for its user alone and needs no link; forwarded to a port of another
machine it is open to all who work there.

Ctrl-C or SIGTERM ends it; the exit code is 0 then.

Examples:
  syndrome web --open
  syndrome web results/                     traces of a CI run, below a folder
  ssh -L 8137:127.0.0.1:8137 lab syndrome web --port 8137
  syndrome web --socket ~/.syndrome/web.sock
  syndrome web --json | jq -r .url`,
    )
    .action(async (paths: string[], options: OptionValues) =>
      (await import('./web.ts')).web(paths, merged(program, options)),
    );

  decodeCommands(
    program,
    options => merged(program, options),
    async (words, options) => (await import('./decode-html.ts')).decodeToPage(words, merged(program, options)),
  );

  const supply = program
    .command('supply')
    .description('QEMU, kernels, Xen, firmware: packages in a cache, no root needed');
  supplyOptions(supply.command('list'))
    .description('what is in the cache, or with --kernels or --versions what is on offer')
    .option('--kernels [arch]', 'kernel versions on offer: amd64 (default) or arm64')
    .addOption(
      new Option('--versions <part>', 'versions on offer of another part')
        .choices(['qemu', 'qemu-arm64', 'xen'])
        .conflicts('kernels'),
    )
    .option('--verify', 'read every file and compare its hash')
    .option('--json', 'machine-readable')
    .addHelpText(
      'after',
      `\nExit code 3 when a part is damaged.

Examples:
  syndrome supply list --verify             is everything as it was when it was fetched?
  syndrome supply list --kernels arm64      the kernels that --kernel can name
  syndrome supply list --versions qemu      what --qemu can name besides a program of your own`,
    )
    .action(async (options: OptionValues) => (await import('./supply.ts')).list(merged(program, options)));
  supplyOptions(supply.command('fetch'))
    .description('fetch parts: all that the scenarios need, or those named')
    .argument(
      '[part...]',
      'qemu, qemu-arm64, kernel[=VERSION], kernel-arm64[=VERSION], kernel-generic[=VERSION], xen[=VERSION], firmware, node-arm64, kexec, toolchain, toolchain-arm64, busybox',
    )
    .option('--json', 'machine-readable')
    .addHelpText(
      'after',
      `\nExamples:
  syndrome supply fetch                     all that the scenarios need, for work without a network
  syndrome supply fetch kernel=6.19 xen=4.17`,
    )
    .action(async (parts: string[], options: OptionValues) =>
      (await import('./supply.ts')).fetch(parts, merged(program, options)),
    );
  supplyOptions(supply.command('where'))
    .description('the path of a part (fetched if needed), or of the cache')
    .argument('[part]', 'as for fetch; or states: the kept states of machines')
    .option('--json', 'machine-readable')
    .addHelpText(
      'after',
      `\nExamples:
  syndrome supply where                     the cache
  file "$(syndrome supply where kernel=7.2)"`,
    )
    .action(async (part: string | undefined, options: OptionValues) =>
      (await import('./supply.ts')).where(part, merged(program, options)),
    );
  supplyOptions(supply.command('clean'))
    .description('empty the cache')
    .addOption(
      new Option('--downloads', 'only the package lists, not the unpacked parts').conflicts(['unused', 'damaged']),
    )
    .addOption(
      new Option('--unused', 'only parts that no request leads to any more, as after an update').conflicts('damaged'),
    )
    .option('--damaged', 'only what is not as it was made; every file is read')
    .option('--json', 'machine-readable')
    .addHelpText(
      'after',
      `\nExamples:
  syndrome supply clean                     everything; it is fetched again when needed
  syndrome supply clean --damaged
  syndrome supply clean --unused            older versions, after newer ones were fetched`,
    )
    .action(async (options: OptionValues) => (await import('./supply.ts')).clean(merged(program, options)));

  qmpOption(program.command('watch'))
    .description('show the memory-error events of a running VM, decoded')
    .option('--json', 'one JSON object an event')
    .option('--all', 'every event, not only those of memory errors and machine state')
    .option('--for <seconds>', 'end after this long', deadline)
    .addHelpText(
      'after',
      `\nCtrl-C ends the watch, not the VM. For a VM of your own: qemu-system-x86_64 … -qmp unix:/run/vm/qmp.sock,server,nowait

Examples:
  syndrome watch --qmp /run/vm/qmp.sock
  syndrome watch --qmp localhost:4444 --all --for 60
  syndrome watch --qmp /run/vm/qmp.sock --json | jq .name`,
    )
    .action(async (options: OptionValues) => (await import('./watch.ts')).watch(merged(program, options)));

  program
    .command('inject')
    .description('inject a memory error into a running VM')
    .argument('[kind]', 'a named record, mce for raw values, or ghes')
    .option('--qmp <socket>', 'QMP socket of the VM: a path, or host:port')
    .option('--list', 'the named records')
    .option('--cpu <n>', 'CPU index (default: 0)')
    .option('--bank <n>', 'bank')
    .option('--status <u64>', 'MCi_STATUS')
    .option('--mcgstatus <u64>', 'MCG_STATUS')
    .option('--addr <u64>', 'MCi_ADDR, or the physical address of the CPER section')
    .option('--misc <u64>', 'MCi_MISC')
    .option('--broadcast', 'to all CPUs, as Intel hardware does; srao does so by default')
    .option('--no-broadcast', 'to one CPU only')
    .option('--severity <name>', 'ghes: recoverable (default), fatal, corrected, none')
    .option('--dry-run', 'say what would be done, connect to nothing')
    .addOption(new Option('--print-cmd', 'print the monitor command only').conflicts(['dryRun', 'json']))
    .addOption(new Option('--consumer <name>', 'who runs on the VM, where you know it').choices(['linux', 'xen']))
    .option('--set <name=value>', 'what else is known of it, as for predict: version=6.12, vendor=intel, …', repeated)
    .option('--yes', 'consent: needed where the outlook says that it may end badly, or does not know')
    .option('--json', 'machine-readable')
    .addHelpText(
      'after',
      `\nExamples:
  syndrome inject --list
  syndrome inject srao --addr 0x1234000 --dry-run
  syndrome inject ce --addr 0x1234000 --qmp /run/vm/qmp.sock
  syndrome inject ce --addr 0x1234000 --consumer linux --dry-run
  syndrome inject uc-fatal --qmp /run/vm/qmp.sock --yes
  syndrome inject mce --bank 1 --status 0x8000000000000000 --qmp localhost:4444`,
    )
    .action(async (kind: string | undefined, options: OptionValues) =>
      (await import('./inject.ts')).inject(kind, merged(program, options)),
    );

  supplyOptions(program.command('doctor'))
    .description('what this machine can do and, for each thing it cannot, why and how to change it')
    .option('--json', 'machine-readable')
    .addHelpText(
      'after',
      `\nExamples:
  syndrome doctor
  syndrome doctor --offline                 what the cache is good for without a network
  syndrome doctor --json | jq '.findings[] | select(.status == "missing")'`,
    )
    .action(async (options: OptionValues) => (await import('./doctor.ts')).doctor(merged(program, options)));

  program
    .command('completion')
    .description('print the completion of a shell: commands, options, names of scenarios and records')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      `\nExamples:
  source <(syndrome completion bash)        in ~/.bashrc
  source <(syndrome completion zsh)         in ~/.zshrc, behind compinit
  syndrome completion fish | source         in ~/.config/fish/config.fish`,
    )
    .action(async (shell: string) => (await import('./completion.ts')).completion(program, shell));

  for (const command of program.commands) if (LAB.has(command.name())) command.hook('preAction', needLinux);
  return program;
}

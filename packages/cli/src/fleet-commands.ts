import { type Command, InvalidArgumentError, Option } from 'commander';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { hex64, parseU64 } from '@syndrome/decode/common/hex.ts';
import { repeated } from './decode-commands.ts';

type Merge = <T>(program: Command, options: object) => T;

const count = (value: string): number => {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError('expected a whole number.');
  return Number(value);
};

const frame = (value: string): string => {
  const pfn = parseU64(value);
  if (pfn === undefined || pfn >= 1n << 52n)
    throw new InvalidArgumentError('expected a page frame number, such as 0x12345.');
  return hex64(pfn);
};

const site = (command: Command): Command => command.requiredOption('--config <file>', 'the file of the site (YAML)');

/** A command that is put to the controller of a site, or of one of its shards. */
const ofShard = (command: Command): Command =>
  command.option('--shard <name>', 'which of its shards, where the site has several');

/** The supervisor: what runs on hosts, and what a person asks and orders. */
export function addFleetCommands(
  program: Command,
  supplyOptions: (command: Command) => Command,
  merged: Merge,
  deadline: (value: string) => number,
): void {
  const drill = program
    .command('drill')
    .description('game days: errors that are injected on purpose, and what the supervisor makes of them')
    .argument('[name]', 'a record of `syndrome inject --list`, injected into a VM of your own site')
    .option('--config <file>', "the file of the VM's host (YAML), with `drill:` under agent:")
    .option('--vm <vm>', 'the VM, as `syndrome fleet vms` shows it; its owner has opted in')
    .option(
      '--qmp <socket>',
      "a monitor of the VM that is not the agent's: the path of its socket; a VM of libvirt needs none",
    )
    .option('--addr <u64>', 'guest physical address of the page that is lost')
    .addOption(new Option('--consumer <name>', 'who runs on the VM, where you know it').choices(['linux', 'xen']))
    .option('--set <name=value>', 'what else is known of it, as for predict: version=6.12, vendor=intel, …', repeated)
    .option('--yes', 'consent: needed where the outlook says that it may end badly, or does not know')
    .option('--dry-run', 'look at site, VM, monitor and outlook, and inject nothing')
    .option('--json', 'machine-readable')
    .option('--timeout <seconds>', 'how long to wait for what has to follow (default: 60; of demo 90)', deadline)
    .addHelpText(
      'after',
      `\nInjects, follows incident, notice, act, proof and start through the controller, and reports times and gaps.
Exit code 1 when something did not come that has to by what was decided; a drill that is refused has injected nothing.

Examples:
  syndrome drill demo                       all of it on this machine, without any configuration
  syndrome drill srao --config site.yaml --vm web --qmp /run/vms/drill/web.sock --addr 0x1234000 --dry-run
  syndrome drill srao --config site.yaml --vm web --qmp /run/vms/drill/web.sock --addr 0x1234000 --yes
  syndrome drill srao --config site.yaml --vm db --addr 0x1234000 --yes              a VM of libvirt, by libvirt's monitor
  syndrome drill srar-data --config site.yaml --vm web --qmp /run/vms/drill/web.sock --addr 0x1235000 --yes --timeout 400 --json`,
    )
    .action(async (name: string | undefined, options: object) =>
      (await import('./drill.ts')).drillHere(name, merged(program, options)),
    );
  supplyOptions(drill.command('demo'))
    .description(
      'two hosts, a controller, a VM and a customer on this machine: three lost pages, and the VM runs elsewhere',
    )
    .option('--json', 'machine-readable')
    .option('--keep', 'keep ledger and logs, and say where')
    .option('--timeout <seconds>', 'give up after this long', deadline, 90)
    .addHelpText(
      'after',
      `\nNeeds no configuration, no libvirt and no root. Exit code 1 when something was not as it has to be.

Examples:
  syndrome drill demo
  syndrome drill demo --json | jq '{verdict, copiesMax, noticeMs, restartMs}'`,
    )
    .action(async (options: object) =>
      // What both commands know commander gives to the outer one, wherever it stands.
      (await import('./drill.ts')).drill(merged(program, { ...options, ...demoOptions(drill.opts()) })),
    );

  program
    .command('supervise')
    .option('--config <file>', 'the file of the site (YAML)')
    .option('--schema', 'print the JSON Schema of such a file, for editors')
    .description(
      'watch the VMs of this host, remember poisoned pages, tell, decide, act: agent, controller and store in one process',
    )
    .option('--check', 'read the file and all that it names, say what is wrong, and end')
    .addHelpText(
      'after',
      `\nA first file, which acts on nothing:
  site: home
  folder: /var/lib/syndrome
  policy: observe
  agent: { host: h1, folders: [/run/vms] }

Examples:
  syndrome supervise --config site.yaml --check
  syndrome supervise --config site.yaml
  syndrome drill demo                       see all of it work, without any configuration`,
    )
    .action(async (options: object) => (await import('./supervise.ts')).supervise('both', merged(program, options)));
  site(program.command('agent'))
    .description('the part of the supervisor that runs on each host: sources, spool, acts')
    .option('--check', 'read the file and all that it names, say what is wrong, and end')
    .addHelpText('after', '\nExample:\n  syndrome agent --config site.yaml')
    .action(async (options: object) => (await import('./supervise.ts')).supervise('agent', merged(program, options)));
  site(program.command('controller'))
    .description('the part of the supervisor that decides: ledger, policy, notices')
    .option('--check', 'read the file and all that it names, say what is wrong, and end')
    .addHelpText('after', '\nExample:\n  syndrome controller --config site.yaml')
    .action(async (options: object) =>
      (await import('./supervise.ts')).supervise('controller', merged(program, options)),
    );

  const fleet = program
    .command('fleet')
    .description('ask the supervisor, and order: what is wrong, why it acted, what to do')
    .addHelpText(
      'after',
      '\nExamples:\n  syndrome fleet status --config site.yaml\n  syndrome fleet explain inc-1 --config site.yaml',
    );
  const asks = (name: string, description: string): Command =>
    ofShard(site(fleet.command(name)))
      .description(description)
      .option('--json', 'machine-readable');
  const lists: readonly (readonly [name: string, what: string])[] = [
    ['status', 'is it well: policy, agents, alerts, what is being done'],
    ['hosts', 'hosts: connected, draining, poisoned pages, sources'],
    ['vms', 'VMs: where they run, under which epoch, what is being done with them'],
    ['pages', 'the ledger of poisoned pages'],
    ['incidents', 'incidents: what was lost, who has seen it, what became of it'],
    ['actions', 'acts: what was ordered of agents, and what was seen afterwards'],
    ['outbox', 'notices that are not delivered yet'],
  ];
  for (const [name, what] of lists)
    asks(name, what)
      .addHelpText('after', `\nExample:\n  syndrome fleet ${name} --config site.yaml --json`)
      .action(async (options: object) => (await import('./fleet.ts')).list(name, merged(program, options)));
  asks(
    'explain',
    'why: an incident with its witnesses, decisions, acts, proofs and notices; or what was decided of a host or a VM',
  )
    .argument('<id>', 'an incident, an action, a host or a VM')
    .addHelpText('after', '\nExample:\n  syndrome fleet explain inc-1 --config site.yaml')
    .action(async (id: string, options: object) => (await import('./fleet.ts')).explain(id, merged(program, options)));

  const orders = (name: string, description: string, example: string): Command =>
    asks(name, description)
      .option('--dry-run', 'say what would be decided, and change nothing')
      .addHelpText('after', `\nExample:\n  syndrome fleet ${name}${example} --config site.yaml`);
  const order = async (given: object, options: object): Promise<void> =>
    (await import('./fleet.ts')).order(given, merged(program, options));
  orders(
    'pause',
    'stop all acts; it goes on watching, remembering and telling, also after a restart',
    ' --reason "looking for the cause"',
  )
    .option('--reason <text>', 'why; it is kept')
    .action((options: { reason?: string }) => order({ order: 'pause', ...reasonOf(options) }, options));
  orders('resume', 'act again, on the present state', '').action((options: object) =>
    order({ order: 'resume' }, options),
  );
  orders(
    'drain',
    'place no VM on a host any more, and move its VMs away as the policy says',
    ' h1 --reason "two DIMMs"',
  )
    .argument('<host>')
    .option('--reason <text>', 'why; it is kept')
    .action((host: string, options: { reason?: string }) =>
      order({ order: 'drain', host, ...reasonOf(options) }, options),
    );
  orders(
    'undrain',
    'end the draining of a host: it takes VMs again, and those that wait to leave it stay; its pages stay in the ledger',
    ' h1 --reason "the wrong host"',
  )
    .argument('<host>')
    .option('--reason <text>', 'why; it is kept')
    .action((host: string, options: { reason?: string }) =>
      order({ order: 'undrain', host, ...reasonOf(options) }, options),
    );
  orders('repaired', 'the memory of a host was replaced: its pages are history, it may have VMs again', ' h1')
    .argument('<host>')
    .action((host: string, options: object) => order({ order: 'repaired', host }, options));
  orders(
    'offline',
    'take a page of a host out of use: its content is moved away first, and nobody notices',
    ' h1 0x12345 --dry-run',
  )
    .argument('<host>')
    .argument('<pfn>', 'page frame number (address / 4096), as `fleet pages` shows it', frame)
    .option('--hard', 'whoever uses it loses it: its VM meets a memory error')
    .addHelpText('after', "\nOnly where the configuration of the host's agent has `offline: true`.")
    .action((host: string, page: string, options: { hard?: boolean }) =>
      order({ order: 'offline', host, page, ...(options.hard === true ? { hard: true } : {}) }, options),
    );
  orders('terminate', 'stop a VM for good, and prove it', ' db --reason "its owner wants it down" --dry-run')
    .argument('<vm>')
    .option('--reason <text>', 'why; it is kept')
    .action((vm: string, options: { reason?: string }) =>
      order({ order: 'terminate', vm, ...reasonOf(options) }, options),
    );
  orders('restart', 'stop a VM, prove it, and start it on another host', ' db --dry-run')
    .argument('<vm>')
    .option('--reason <text>', 'why; it is kept')
    .action((vm: string, options: { reason?: string }) =>
      order({ order: 'restart', vm, ...reasonOf(options) }, options),
    );
  orders('planned-stop', 'its owner stops this VM: that is no failure', ' db')
    .argument('<vm>')
    .action((vm: string, options: object) => order({ order: 'planned-stop', vm }, options));
  orders('breaker-close', 'the cause of a storm is known: decide again, on the present state', '').action(
    (options: object) => order({ order: 'breaker-close' }, options),
  );
  orders('close', 'close an incident', ' inc-1 --reason "handled by hand"')
    .argument('<incident>')
    .option('--reason <text>', 'why; it is kept')
    .action((incident: string, options: { reason?: string }) =>
      order({ order: 'close', incident, ...reasonOf(options) }, options),
    );
  orders(
    'attest',
    'state that a copy of a VM has stopped, because you have seen it',
    ' db h1 3 --statement "power cable pulled, seen by me"',
  )
    .argument('<vm>')
    .argument('<host>', 'where the copy was')
    .argument('<epoch>', 'its epoch, as `fleet vms` shows it', count)
    .requiredOption('--statement <text>', 'what you have seen; it is kept with your name')
    .option('--token <file>', 'your token of the API, in a file that you alone can read: another fencer confirms it')
    .addHelpText(
      'after',
      `\nOnly where nothing else can prove it: two copies of a VM destroy its disks. Look at the machine, not at what does not answer.
Where the API of the site has two fencers or more, two of them attest: this one states it, with --token, and another one confirms it within an hour.`,
    )
    .action(async (vm: string, host: string, epoch: number, options: { statement: string; token?: string }) => {
      const { token, statement } = options;
      if (token === undefined) return order({ order: 'attest', vm, host, epoch, statement }, options);
      return (await import('./fleet-attest.ts')).attest({ vm, host, epoch, statement }, merged(program, options));
    });
  ofShard(site(fleet.command('confirm')))
    .description('confirm what another fencer has stated with attest, because you have seen it, too')
    .argument('<attestation>', 'its name, as `fleet attest` has shown it')
    .requiredOption('--statement <text>', 'what you have seen; it is kept with your name')
    .requiredOption('--token <file>', 'your token of the API, in a file that you alone can read')
    .option('--json', 'machine-readable')
    .addHelpText(
      'after',
      '\nExample:\n  syndrome fleet confirm att-1f0c… --config site.yaml --statement "the rack is dark" --token ~/.syndrome-token',
    )
    .action(async (attestation: string, options: { statement: string }) =>
      (await import('./fleet-attest.ts')).confirm(attestation, merged(program, options)),
    );

  const policy = fleet
    .command('policy')
    .description('policies: what is done at which threshold')
    .addHelpText('after', '\nExample:\n  syndrome fleet policy explain protect');
  policy
    .command('check')
    .description('is it a policy? Every fault with its line')
    .argument('<policy>', 'observe, notify, protect, or a file')
    .option('--json', 'machine-readable')
    .addHelpText('after', '\nExample:\n  syndrome fleet policy check mine.yaml')
    .action(async (file: string, options: object) =>
      (await import('./fleet-policy.ts')).check(file, merged(program, options)),
    );
  policy
    .command('explain')
    .description('what it does, in sentences')
    .argument('<policy>', 'observe, notify, protect, or a file')
    .option('--json', 'machine-readable')
    .addHelpText('after', '\nExample:\n  syndrome fleet policy explain protect')
    .action(async (file: string, options: object) =>
      (await import('./fleet-policy.ts')).explain(file, merged(program, options)),
    );
  policy
    .command('show')
    .description('the text of a shipped policy, to begin one of your own with')
    .argument('<policy>', 'observe, notify or protect')
    .option('--json', 'machine-readable')
    .addHelpText('after', '\nExample:\n  syndrome fleet policy show protect > mine.yaml')
    .action(async (name: string, options: object) =>
      (await import('./fleet-policy.ts')).show(name, merged(program, options)),
    );
  ofShard(site(policy.command('set')))
    .description(
      'judge by this policy from now on, also after a restart, until another is set or the file of the site names another one',
    )
    .argument('<policy>', 'observe, notify, protect, or a file')
    .option('--json', 'machine-readable')
    .option('--dry-run', 'say what would be decided, and change nothing')
    .addHelpText('after', '\nExample:\n  syndrome fleet policy set mine.yaml --dry-run --config site.yaml')
    .action(async (file: string, options: object) =>
      (await import('./fleet.ts')).setPolicy(file, merged(program, options)),
    );

  fleet
    .command('playbook')
    .description('what to do about a notice, step by step; without a name: which playbooks there are')
    .argument('[name]', 'as a notice names it: unproven, vm-lost, …')
    .option('--json', 'machine-readable')
    .addHelpText('after', '\nExample:\n  syndrome fleet playbook unproven')
    .action(async (name: string | undefined, options: object) =>
      (await import('./fleet-playbook.ts')).playbook(name, merged(program, options)),
    );
  ofShard(fleet.command('replay').option('--config <file>', 'of a controller that runs'))
    .description('decide everything once more from the ledger, and compare: the same must come out')
    .option(
      '--ledger <file|url>',
      'a ledger, a backup of one, or postgresql://USER@HOST/DATABASE; no controller is needed',
    )
    .option('--json', 'machine-readable')
    .addHelpText('after', '\nExample:\n  syndrome fleet replay --ledger backup.sqlite')
    .action(async (options: object) => (await import('./fleet.ts')).replayLedger(merged(program, options)));
  asks('backup', 'copy the ledger of a running controller into a new file')
    .argument('<file>')
    .addHelpText('after', '\nExample:\n  syndrome fleet backup ledger-copy.sqlite --config site.yaml')
    .action(async (file: string, options: object) =>
      (await import('./fleet.ts')).backup(file, merged(program, options)),
    );
}

/** Of the options of `drill` those that `drill demo` has too. @throws UsageError for one of the others */
function demoOptions({ json, timeout, ...others }: { json?: boolean; timeout?: number }): object {
  const [foreign] = Object.keys(others);
  if (foreign !== undefined)
    throw new UsageError(
      'E_USAGE',
      `--${foreign.replaceAll(/[A-Z]/g, c => `-${c.toLowerCase()}`)} does not apply to drill demo`,
      {
        hint: 'The demo makes all that it needs; with a record in the place of demo it is a drill on your own site.',
      },
    );
  return { ...(json === undefined ? {} : { json }), ...(timeout === undefined ? {} : { timeout }) };
}

const reasonOf = ({ reason }: { reason?: string }): { reason?: string } => (reason === undefined ? {} : { reason });

import { CONSUMERS } from '@syndrome/decode/outlook/consumer.ts';
import { type Command, Option, type OptionValues } from 'commander';
import { FORMS } from '@syndrome/decode/decode/form.ts';

/** Options of the commands that read records. */
function inputOptions(command: Command): Command {
  return command
    .addOption(new Option('--from <form>', 'how to read the input').choices(FORMS))
    .option('--esr', 'a lone value is an ESR')
    .option('--section <type>', 'the input is one bare CPER section: memory, arm-processor, …, or a GUID')
    .addOption(new Option('--vendor <vendor>', 'CPU vendor, where the input does not say').choices(['intel', 'amd']))
    .option('--cpuid <eax>', 'CPUID leaf 1 EAX in hex, where the input does not say; 50654');
}

/** The exit codes of the commands that read records. */
const EXIT_CODES = `\nExit codes:
  0  at least one record was found
  2  the command line or a file given is wrong, or values typed are no error record
  4  no error record in the files or stdin
  5  something of the input was cut or could not be read, which stderr says; the rest was read`;

/** Collects an option that may be given again. */
export const repeated = (value: string, before: string[] = []): string[] => [...before, value];

/** Writes a page of what `decode` was given, where the program has one. */
type ToPage = (words: string[], options: OptionValues & { html: string }) => Promise<void>;

/**
 * Adds the commands that read, predict and make records. `merge` adds the options of the program itself; `toPage` belongs to
 * `decode --html`, which the single file does not have.
 */
export function decodeCommands(program: Command, merge: <T>(options: OptionValues) => T, toPage?: ToPage): void {
  const decode = inputOptions(program.command('decode'))
    .description('say what a register value, a log, or a firmware record means')
    .argument('[value|file...]', 'values, files, or - for stdin (the default)')
    .option('--json', 'one JSON object a record')
    .option('--raw', 'only the values, one line a record')
    .option('--brief', 'one line a record, and what they come to: for long logs')
    .option('--triage', 'what the records come to: the worst, each part, what repeats; with --json one object')
    .option('--ticket', 'the same as Markdown, for a ticket')
    .option('--in-order', 'every record as it comes, not the worst first')
    .option('--full', 'every record whole, also where an earlier one says the same')
    .option('--table', 'all fields of all registers, not only those that are set')
    .option(
      '--dmidecode <file>',
      'what dmidecode printed there: the slot, serial and part number of the DIMM of a record',
    )
    .option(
      '--redact',
      'replace names of hosts and users, addresses of networks, UUIDs and serial numbers, the same by the same',
    )
    .option('--outlook', 'with --json: also what Linux, Xen, QEMU and KVM will do with the record')
    .option('--no-outlook', 'leave that out of the text')
    .option('--explain [word]', 'what a code or term of the output means; without one, or with list: all of them')
    .option('--schema', 'the JSON Schema of --json')
    .addHelpText(
      'after',
      `\nExamples:
  syndrome decode 0xbd80000000000134 --vendor intel
  syndrome decode 'mce -b 0 9 0xbd000000000000c0 0x5 0x91ee000 0x8c'
  syndrome decode status=0x9c00180000000000 addr=0x87ee000 vendor=amd
  syndrome decode --esr 0x92000410
  dmesg | syndrome decode
  syndrome decode --brief kern.log.*                    # one line a record, counts and pages
  syndrome decode --triage kern.log.*                   # how bad, which part, how often, what now
  ras-mc-ctl --errors | syndrome decode --brief
  syndrome decode /var/lib/rasdaemon/ras-mc_event.db    # rasdaemon's database; it is only read
  journalctl -k -o export | syndrome decode --json
  syndrome decode sosreport-db1.tar.xz                  # a support bundle, a folder: logs, SEL, rasdaemon's database, dmidecode
  syndrome decode --ticket --redact sosreport-db1.tar.xz
  dmesg | syndrome decode --dmidecode dmi.txt           # which slot, which serial number
  syndrome decode /sys/firmware/acpi/tables/data/BERT
  syndrome decode mce-erst-7045231                       # of /sys/fs/pstore, after a panic
  syndrome decode --from xen-mcelog mcelog.bin          # read from /dev/mcelog of dom0
  syndrome decode --explain L_MCA_QEMU_SRAR
  syndrome decode --explain SRAO                        # classes, fields, outcomes, error codes, …`,
    )
    .addHelpText('after', EXIT_CODES)
    .action(async (words: string[], options: OptionValues) => {
      const { html } = options;
      if (typeof html === 'string' && toPage !== undefined) await toPage(words, { ...options, html });
      else await (await import('./decode.ts')).decode(words, merge(options));
    });
  if (toPage !== undefined) {
    decode.addOption(
      new Option(
        '--html <file>',
        'write one page to look at: the input, decoded bit by bit; with --redact without names',
      ).conflicts(['json', 'raw', 'brief', 'triage', 'ticket', 'explain', 'schema']),
    );
  }

  inputOptions(program.command('predict'))
    .description('say what Linux, Xen, QEMU and KVM do with a record, and why')
    .argument('[record...]', 'names of `syndrome encode --list`, or what decode takes')
    .addOption(new Option('--consumer <name>', 'only this one').choices(CONSUMERS))
    .option(
      '--set <name=value>',
      'what is known of the context: running=kernel, version=6.19.6, …; again for more',
      repeated,
    )
    .option('--chain', 'follow the record from QEMU (or --consumer) through the layers')
    .option('--addr <u64>', 'address of a named record')
    .option('--json', 'one JSON object a record')
    .addHelpText(
      'after',
      `\nExamples:
  syndrome predict srar-data --consumer linux --set running=kernel
  syndrome predict amd-deferred --chain
  syndrome predict amd-deferred --consumer linux --set version=6.19.6 --set platform=kvm
  syndrome predict status=0xbd80000000000134 mcgstatus=7 addr=0x1000 misc=0x8c vendor=intel`,
    )
    .addHelpText('after', EXIT_CODES)
    .action(async (words: string[], options: OptionValues) =>
      (await import('./predict.ts')).predict(words, merge(options)),
    );

  program
    .command('encode')
    .description('make a record: register values and the QEMU command, or the bytes of a firmware record')
    .argument(
      '[name|field...]',
      'a name of --list; fields such as VAL UC MCACOD=0x134; sea, serror or esr and what it is; or a section with NAME=VALUE',
    )
    .option('--list', 'named records, syndromes and sections')
    .option('--from-json <file>', 'records as JSON, such as decode --json prints; - for stdin')
    .addOption(new Option('--vendor <vendor>', 'whose fields they are').choices(['intel', 'amd']))
    .option('--cpu <n>', 'CPU index of the QEMU command')
    .option('--bank <n>', 'bank')
    .option('--addr <u64>', 'MCi_ADDR, FAR, or the physical address of a section')
    .option('--misc <u64>', 'MCi_MISC')
    .option('--synd <u64>', 'MCA_SYND (AMD)')
    .option('--ipid <u64|type>', 'MCA_IPID (AMD), or the type of the bank: UMC, LS, L3_CACHE, …')
    .option('--gpa <u64>', 'sea: the guest physical address KVM gives with KVM_EXIT_ARM_SEA')
    .option('--broadcast', 'QEMU: to all CPUs')
    .option('--severity <name>', 'sections: recoverable, fatal, corrected, none')
    .option('--record', 'sections: a UEFI error record instead of a generic error status block')
    .option('--base64', 'sections and JSON: base64 instead of hex')
    .option('--out <file>', 'sections and JSON: write the bytes')
    .option('--json', 'machine-readable')
    .addHelpText(
      'after',
      `\nExamples:
  syndrome encode srar-data --addr 0x1234000
  syndrome encode VAL UC EN S AR MCACOD=0x134 MCIP RIPV EIPV --addr 0x1234000
  syndrome encode VAL UC EN POISON --vendor amd --ipid UMC --synd 0x1f --addr 0x1234000
  syndrome encode sea write el0 --addr 0xffff80001000
  syndrome encode sea guest uer --addr 0x7f0000001000 --gpa 0x40001000
  syndrome encode serror ueo
  syndrome encode memory physicalAddress=0x50000000 errorType=3 node=0 --base64
  syndrome decode record.cper --json | syndrome encode --from-json - --out same.cper`,
    )
    .action(async (words: string[], options: OptionValues) =>
      (await import('./encode.ts')).encode(words, merge(options)),
    );
}

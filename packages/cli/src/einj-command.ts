import { type Command, InvalidArgumentError, Option } from 'commander';

type Merge = <T>(program: Command, options: object) => T;

const whole =
  (least: number, most: number) =>
  (value: string): number => {
    if (!/^\d{1,6}$/.test(value) || Number(value) < least || Number(value) > most)
      throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}.`);
    return Number(value);
  };

/** A program in a guest whose firmware the lab is. */
export function addEinjCommand(
  program: Command,
  partOptions: (command: Command) => Command,
  merged: Merge,
  deadline: (value: string) => number,
): void {
  partOptions(program.command('einj'))
    .description('run a program in an x86 guest in which EINJ works: the lab is its firmware')
    .argument('<command...>', 'absolute path of a program in the guest, and its arguments')
    .option('--files <path>', 'a folder, or an initramfs of yours, that the program is in')
    .option('--memory <mib>', 'of the guest', whole(192, 16384), 512)
    .option('--cpus <n>', 'of the guest', whole(1, 8), 2)
    .addOption(new Option('--flavour <name>', "of Debian's kernel").choices(['cloud', 'generic']).default('cloud'))
    .option('--trace <file>', 'where the trace goes')
    .option('--timeout <seconds>', 'give up after this long', deadline, 600)
    .addHelpText(
      'after',
      `
The guest has /sys/kernel/debug/apei/einj, as on a machine with such firmware: memory errors, corrected, uncorrected and fatal.
What is asked for there the lab reports as firmware would (GHES), and the guest's kernel handles it. Nothing real is touched.
The guest's console goes to stdout, with what the program writes; what the lab does, to stderr.

Exit codes:
  0  the program has ended with 0
  1  it has ended with another code, or by a signal
  3  it has not ended, or the guest did not start

Example:
  syndrome einj --files ./suite -- /run.sh --all`,
    )
    .action(async (command: string[], options: object) =>
      (await import('./einj.ts')).einj(command, merged(program, options)),
    );
}

/** @module Manual pages, made of the same table as `--help`. */
import type { EventEmitter } from 'node:events';
import type { Command } from 'commander';
import { VERSION } from '@syndrome/decode/common/version.ts';
import { EXIT_TEXT } from '@syndrome/cli/exit-codes.ts';
import { buildProgram } from '@syndrome/cli/program.ts';

/** A text for roff: a backslash, a hyphen and a leading dot or quote mean themselves. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&');

const fullName = (command: Command): string =>
  command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;

/** The text that follows the options in `--help`: examples, exit codes. */
function epilogue(command: Command): string {
  let said = '';
  const listeners = (command as unknown as EventEmitter).listeners('afterHelp');
  for (const listen of listeners) listen({ error: false, command, write: (text: string) => (said += text) });
  return said.trim();
}

/** One page in man(7). */
function page(command: Command): string {
  const name = fullName(command).replaceAll(' ', '-');
  const help = command.createHelp();
  const options = help.visibleOptions(command);
  const args = help.visibleArguments(command);
  const commands = help.visibleCommands(command).filter(sub => sub.name() !== 'help');
  const more = epilogue(command);
  const lines = [
    `.TH ${name.toUpperCase().replaceAll('-', '\\-')} 1 "" "syndrome ${VERSION}" "User Commands"`,
    '.SH NAME',
    `${roff(name)} \\- ${roff(command.description())}`,
    '.SH SYNOPSIS',
    `.B ${roff(fullName(command))}`,
    roff(command.usage()),
  ];
  if (args.length > 0) {
    lines.push('.SH ARGUMENTS');
    for (const arg of args)
      lines.push('.TP', `.I ${roff(help.argumentTerm(arg))}`, roff(help.argumentDescription(arg)));
  }
  if (commands.length > 0) {
    lines.push('.SH COMMANDS');
    for (const sub of commands)
      lines.push('.TP', `.B ${roff(help.subcommandTerm(sub))}`, roff(help.subcommandDescription(sub)));
  }
  lines.push('.SH OPTIONS');
  for (const option of options)
    lines.push('.TP', `.B ${roff(help.optionTerm(option))}`, roff(help.optionDescription(option)));
  if (command.parent === null) {
    lines.push('.SH "EXIT STATUS"');
    for (const [code, text] of EXIT_TEXT) lines.push('.TP', `.B ${roff(code)}`, roff(text));
    const examples = more.slice(more.indexOf('Examples:') + 'Examples:'.length);
    lines.push('.SH EXAMPLES', '.nf', roff(examples.replace(/^\n/, '')), '.fi');
  } else if (more !== '') lines.push('.SH NOTES', '.nf', roff(more), '.fi');
  const others = command.parent === null ? commands.map(sub => `syndrome-${sub.name()}`) : ['syndrome'];
  lines.push('.SH "SEE ALSO"', others.map(other => `.BR ${roff(other)} (1)`).join(',\n'));
  return `${lines.join('\n')}\n`;
}

/**
 * The page of the program and one of each command, by the name of the file: `syndrome.1`, `syndrome-supply-list.1`.
 *
 * @example manualPages().get('syndrome-decode.1')
 */
export function manualPages(): Map<string, string> {
  const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];
  return new Map(all(buildProgram()).map(command => [`${fullName(command).replaceAll(' ', '-')}.1`, page(command)]));
}

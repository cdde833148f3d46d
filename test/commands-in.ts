/** Commands in texts: lines of shells, split as a shell does, and looked up in the table of commands and options. */
import { type Command, CommanderError } from 'commander';
import { buildProgram } from '@syndrome/cli/program.ts';

/** What ends a command in a line. */
const ENDS = new Set(['|', '>', '>>', '<', ';', '&&', '||', '#', '2>', '&']);

/** The words of the commands of a line that call the program, without its name; `…` is none. */
export function calledIn(line: string): string[][] {
  const words = [...line.matchAll(/(?:[^\s"'|;&<>]|"[^"]*"|'[^']*'|\\.)+|\|\|?|>>?|<|;|&&?/g)].map(([word]) => word);
  const calls: string[][] = [];
  let call: string[] | undefined;
  let isFirst = true;
  for (const word of words) {
    if (ENDS.has(word) || word.startsWith('#')) {
      call = undefined;
      isFirst = true;
      if (word.startsWith('#')) break;
      continue;
    }
    const isName = /^(?:[\w./-]*\/)?syndrome$/.test(word);
    if (isFirst && isName) calls.push((call = []));
    else call?.push(word.replace(/^(["'])(.*)\1$/, '$2'));
    // `NAME=value`, the prompt and `git bisect run` stand in front of a command.
    isFirst = isFirst && (/^[A-Z_]+=|^\$$/.test(word) || /^(?:git|bisect|run)$/.test(word)) && !isName;
  }
  return calls;
}

/** What is wrong with a command; undefined where the program would begin to carry it out. */
export function faultOf(words: readonly string[]): string | undefined {
  const program = buildProgram().exitOverride();
  let at: Command = program;
  const rest = [...words];
  while (rest.length > 0 && at.commands.length > 0) {
    if (['--help', '--version'].includes(rest[0] ?? '')) return undefined;
    const next = at.commands.find(command => command.name() === rest[0]);
    if (next === undefined && at.registeredArguments.length > 0) break;
    if (next === undefined) return `there is no command ${rest[0]}`;
    at = next;
    rest.shift();
  }
  const silent = { writeErr: () => {}, writeOut: () => {} };
  at.exitOverride().configureOutput(silent);
  try {
    const { operands, unknown } = at.parseOptions(rest.filter(word => word !== '--help'));
    const wrong = unknown.find(word => word.startsWith('-') && word !== '-');
    if (wrong !== undefined) return `${at.name()} has no option ${wrong}`;
    const most = at.registeredArguments;
    if (operands.length > most.length && !most.at(-1)?.variadic) return `${at.name()} takes no ${operands.at(-1)}`;
    const least = most.filter(argument => argument.required).length;
    if (operands.length < least && !rest.includes('--help')) return `${at.name()} wants ${least} arguments`;
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError) return error.message;
    throw error;
  }
}

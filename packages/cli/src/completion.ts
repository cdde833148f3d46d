/** @module Completion for bash, zsh and fish, made of the same table as `--help`. */
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Command, Option } from 'commander';
import { NAMED_ESR } from '@syndrome/decode/arm/encode.ts';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { SECTIONS } from '@syndrome/decode/cper/sections.ts';
import { NAMED_MCA } from '@syndrome/decode/mca/named.ts';
import { printLines } from './output.ts';

/** The shells that have a completion. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** One command of the program, the program itself among them. */
interface Entry {
  /** Words that lead to it, `supply list`; empty for the program. */
  path: string;
  about: string;
  commands: readonly { name: string; about: string }[];
  options: readonly OptionEntry[];
  /** What stands for its arguments; `files` where that is a path too. */
  words: readonly string[];
  files: boolean;
}
interface OptionEntry {
  flags: readonly string[];
  about: string;
  /** Undefined for a flag; empty where the value is not counted. */
  values: readonly string[] | undefined;
  files: boolean;
}

/** Commands of which an argument may be a named machine check. */
const RECORDS: readonly string[] = ['predict', 'encode', 'inject'];
const TAKES_PATH = /path|file|dir|socket/;

function optionEntry(option: Option): OptionEntry {
  const flags = [option.short, option.long].filter(flag => flag !== undefined && flag !== null);
  const takes = option.required || option.optional;
  return {
    flags,
    about: option.description,
    values: takes ? (option.argChoices ?? []) : undefined,
    files: takes && TAKES_PATH.test(option.flags),
  };
}

/** Names of the scenarios that come with the program. */
const scenarioNames = (): string[] =>
  globSync('*.yaml', { cwd: join(import.meta.dirname, '../../../scenarios') })
    .map(file => basename(file, '.yaml'))
    .toSorted();

/** What an argument may be, besides a path. */
function wordsOf(command: Command): string[] {
  const words = command.registeredArguments.flatMap(argument => argument.argChoices ?? []);
  const named = command.registeredArguments.map(argument => argument.name());
  if (named.includes('scenario')) words.push(...scenarioNames());
  if (RECORDS.includes(command.name())) words.push(...NAMED_MCA.map(n => n.name));
  if (command.name() === 'encode') words.push(...NAMED_ESR.map(n => n.name), ...SECTIONS.map(s => s.kind));
  return words;
}

/** The table of the program, flat. */
function entriesOf(program: Command): Entry[] {
  const visit = (command: Command, path: readonly string[]): Entry[] => {
    const help = command.createHelp();
    const commands = help.visibleCommands(command).filter(sub => sub.name() !== 'help');
    return [
      {
        path: path.join(' '),
        about: command.description(),
        commands: commands.map(sub => ({ name: sub.name(), about: sub.description() })),
        options: [...help.visibleOptions(command), ...(path.length > 0 ? help.visibleGlobalOptions(command) : [])].map(
          optionEntry,
        ),
        words: wordsOf(command),
        files: command.registeredArguments.some(a => /file|trace|scenario|record/.test(a.name())),
      },
      ...commands.flatMap(sub => visit(sub, [...path, sub.name()])),
    ];
  };
  return visit(program, []);
}

/** A word of a shell, quoted. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function bash(entries: readonly Entry[]): string {
  const cases = entries.map(({ path, commands, options, words, files }) => {
    const values = options
      .filter(option => option.values !== undefined)
      .map(({ flags, values = [], files: takesFile }) => {
        const isPath = takesFile && values.length === 0;
        return `        ${flags.join('|')}) words=${quoted(values.join(' '))} files=${isPath ? 1 : ''} ;;`;
      });
    const all = [...commands.map(c => c.name), ...words, ...options.flatMap(o => o.flags)];
    return [
      `    ${quoted(path)})`,
      `      words=${quoted(all.join(' '))} files=${files ? 1 : ''}`,
      ...(values.length > 0 ? ['      case $before in', ...values, '      esac'] : []),
      '      ;;',
    ].join('\n');
  });
  const paths = entries.map(e => e.path).filter(path => path !== '');
  return `# Completion of syndrome for bash: source <(syndrome completion bash)
_syndrome() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} path='' next word words='' files=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    case $next in ${paths.map(quoted).join('|')}) path=$next ;; esac
  done
  case $path in
${cases.join('\n')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current" || :; if [[ $files ]]; then compgen -f -- "$current"; fi)
}
complete -o filenames -F _syndrome syndrome
`;
}

function zsh(entries: readonly Entry[]): string {
  return `#compdef syndrome
# Completion of syndrome for zsh: put it into a folder of $fpath as _syndrome, or source <(syndrome completion zsh)
autoload -U +X bashcompinit && bashcompinit
${bash(entries).split('\n').slice(1).join('\n').replace('mapfile -t COMPREPLY < <(', 'COMPREPLY=($(').replace(/fi\)$/m, 'fi))')}`;
}

function fish(entries: readonly Entry[]): string {
  const lines = ['# Completion of syndrome for fish: syndrome completion fish | source', 'complete -c syndrome -f'];
  for (const { path, commands, options, words, files } of entries) {
    const names = path.split(' ').filter(name => name !== '');
    const seen = names.map(name => `__fish_seen_subcommand_from ${name}`);
    const none = commands.length > 0 ? [`not __fish_seen_subcommand_from ${commands.map(c => c.name).join(' ')}`] : [];
    const when = [...seen, ...none].join('; and ');
    const condition = when === '' ? '' : ` -n ${quoted(when)}`;
    for (const { name, about } of commands)
      lines.push(`complete -c syndrome${condition} -a ${quoted(name)} -d ${quoted(about)}`);
    if (words.length > 0) lines.push(`complete -c syndrome${condition} -a ${quoted(words.join(' '))}`);
    if (files) lines.push(`complete -c syndrome${condition} -F`);
    for (const { flags, about, values, files: takesFile } of options) {
      const named = flags
        .map(flag => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
        .join(' ');
      const value =
        values === undefined
          ? ''
          : values.length > 0
            ? ` -x -a ${quoted(values.join(' '))}`
            : takesFile
              ? ' -r -F'
              : ' -x';
      lines.push(`complete -c syndrome${condition} ${named}${value} -d ${quoted(about)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** The script for a shell. */
export function completionScript(program: Command, shell: Shell): string {
  const entries = entriesOf(program);
  return shell === 'bash' ? bash(entries) : shell === 'zsh' ? zsh(entries) : fish(entries);
}

/** Prints the completion of a shell. @throws UsageError for a shell that has none. */
export function completion(program: Command, shell: string): void {
  const known = SHELLS.find(s => s === shell);
  if (known === undefined)
    throw new UsageError('E_USAGE', `no completion for ${shell}`, { hint: `Shells: ${SHELLS.join(', ')}.` });
  printLines(completionScript(program, known));
}

/** @module Completion for bash, zsh and fish, made of the same table as `--help`. */
import type { Command, Option } from 'commander';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { argumentWords, optionWords } from './completion-words.ts';
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

const TAKES_PATH = /path|file|dir|socket/;

function optionEntry(command: Command, option: Option): OptionEntry {
  const flags = [option.short, option.long].filter(flag => flag !== undefined && flag !== null);
  const takes = option.required || option.optional;
  return {
    flags,
    about: option.description,
    values: takes ? optionWords(command, option) : undefined,
    files: takes && TAKES_PATH.test(option.flags),
  };
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
          option => optionEntry(command, option),
        ),
        words: argumentWords(command),
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
      .map(
        ({ flags, values = [], files: takesFile }) =>
          `        ${flags.join('|')}) words=${quoted(values.join(' '))} files=${takesFile ? 1 : ''} ;;`,
      );
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
  local current=\${COMP_WORDS[COMP_CWORD]} at=$((COMP_CWORD - 1)) key='' path='' next word words='' files=''
  # Readline takes = for a word of its own: of --set running=us the words are --set, running, =, us.
  if [[ $current == '=' ]]; then current='' at=$((COMP_CWORD)); fi
  if [[ \${COMP_WORDS[at]} == '=' ]]; then
    key=\${COMP_WORDS[at-1]}=
    at=$((at - 2))
    if [[ $key == --* ]]; then at=$((at + 1)); fi
  fi
  local before=\${COMP_WORDS[at]}
  if [[ $key == --* ]]; then key=''; else current=$key$current; fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    case $next in ${paths.map(quoted).join('|')}) path=$next ;; esac
  done
  case $path in
${cases.join('\n')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current" || :; if [[ $files ]]; then compgen -f -- "$current"; fi)
  if [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2> /dev/null || :; fi
  COMPREPLY=("\${COMPREPLY[@]#"$key"}")
}
complete -o filenames -F _syndrome syndrome
`;
}

function zsh(entries: readonly Entry[]): string {
  /** `name:what it is`, as _describe takes it. */
  const described = (name: string, about = ''): string =>
    quoted(about === '' ? name.replaceAll(':', '\\:') : `${name.replaceAll(':', '\\:')}:${about}`);
  const cases = entries.map(({ path, commands, options, words, files }) => {
    const values = options
      .filter(option => option.values !== undefined)
      .map(
        ({ flags, values = [], files: takesFile }) =>
          `        (${flags.join('|')}) found=(${values.map(v => described(v)).join(' ')}) files=${takesFile ? 1 : ''} ;;`,
      );
    const all = [
      ...commands.map(c => described(c.name, c.about)),
      ...words.map(word => described(word)),
      ...options.flatMap(o => o.flags.map(flag => described(flag, o.about))),
    ];
    return [
      `    (${quoted(path)})`,
      `      found=(${all.join(' ')}) files=${files ? 1 : ''}`,
      ...(values.length > 0 ? ['      case $before in', ...values, '      esac'] : []),
      '      ;;',
    ].join('\n');
  });
  const paths = entries.map(e => e.path).filter(path => path !== '');
  return `#compdef syndrome
# Completion of syndrome for zsh: put it into a folder of $fpath as _syndrome, or source <(syndrome completion zsh)
_syndrome() {
  local at='' next='' word='' files='' before=\${words[CURRENT-1]}
  local -a found
  if [[ $PREFIX == --*=* ]]; then
    before=\${PREFIX%%=*}
    compset -P '*='
  fi
  for word in "\${(@)words[2,CURRENT-1]}"; do
    next="\${at:+$at }$word"
    case $next in (${paths.map(quoted).join('|')}) at=$next ;; esac
  done
  case $at in
${cases.join('\n')}
  esac
  (( $#found )) && _describe syndrome found
  [[ -n $files ]] && _files
}
# In a folder of $fpath it is called by its name the first time; sourced, it has to be made known.
if [[ \${funcstack[1]} == _syndrome ]]; then _syndrome "$@"; else compdef _syndrome syndrome; fi
`;
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
            ? `${takesFile ? ' -r -F' : ' -x'} -a ${quoted(values.join(' '))}`
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

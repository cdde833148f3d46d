/** Completion: what the real shells offer, where they are installed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SHELLS, completionScript } from '@syndrome/cli/completion.ts';
import { buildProgram } from '@syndrome/cli/program.ts';

const ROOT = join(import.meta.dirname, '..');
const script = (shell: (typeof SHELLS)[number]): string => completionScript(buildProgram(), shell);

const work = mkdtempSync(join(tmpdir(), 'syndrome-completion-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  const path = join(work, name);
  writeFileSync(path, text);
  return path;
};

/** Runs a shell to its end; what it says on stderr is a fault. */
function ask(shell: string, args: readonly string[]): string[] {
  const { stdout, stderr } = spawnSync(shell, args, {
    encoding: 'utf8',
    timeout: 60_000,
    // Nothing of the user's own: no start files, no history.
    env: { PATH: process.env['PATH'], HOME: work, XDG_CONFIG_HOME: work, XDG_DATA_HOME: work, TERM: 'dumb' },
    cwd: ROOT,
  });
  expect(stderr).toBe('');
  return stdout.split('\n').filter(word => word !== '');
}

/** The words of a line as readline hands them over: `=` is one of its own. */
const readlineWords = (words: readonly string[]): string[] =>
  words.flatMap(word => word.split(/(=)/).filter((part, i, all) => part !== '' || all.length === 1 || i === 0));

/** What bash offers behind these words, of which the last is not finished; the part behind a `=` alone. */
function inBash(words: readonly string[]): string[] {
  const parts = readlineWords(words);
  const line = ['syndrome', ...parts].map(word => `'${word}'`).join(' ');
  const question = `COMP_WORDS=(${line}); COMP_CWORD=${parts.length}; _syndrome; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return ask('bash', ['--norc', '-c', `set -eu\n${script('bash')}\n${question}`]);
}

/** What fish offers; it tells the whole of a `name=value`. */
function inFish(words: readonly string[]): string[] {
  const source = file('completion.fish', script('fish'));
  const line = ['syndrome', ...words].join(' ');
  return ask('fish', ['--no-config', '-c', `source ${source}; complete -C '${line}'`]).map(found =>
    found.replace(/\t.*/, ''),
  );
}

/**
 * What zsh offers: an interactive one on a terminal of its own gets the line and the key Tab. Completions go through
 * compadd, which tells here what it adds.
 */
function inZsh(lines: readonly (readonly string[])[]): string[][] {
  const source = file('completion.zsh', script('zsh'));
  const setup = file(
    'setup.zsh',
    `PS1='' PROMPT_EOL_MARK='' LISTMAX=1000000
autoload -Uz compinit && compinit -u -D
source ${source}
integer asked=0
compadd() {
  if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return $?; fi
  local -a hits
  builtin compadd -A hits "$@"
  print -rl -- $asked:$^hits >> ${work}/found
  builtin compadd "$@"
}
capture() { zle list-choices; zle kill-whole-line; (( asked++ )); print -n '<done>'; }
zle -N capture
bindkey '^I' capture
print -n '<ready>'
`,
  );
  const driver = file(
    'driver.zsh',
    `zmodload zsh/zpty
: > ${work}/found
zpty shell zsh -f -i
zpty -w shell 'source ${setup}'
zpty -r shell said '*<ready>*'
${lines.map(words => `zpty -w -n shell '${['syndrome', ...words].join(' ')}'$'\\t'\nzpty -r shell said '*<done>*'`).join('\n')}
zpty -d shell
cat ${work}/found
`,
  );
  const found = ask('zsh', ['-f', driver]);
  return lines.map((_, i) => found.flatMap(hit => (hit.startsWith(`${i}:`) ? [hit.slice(`${i}:`.length)] : [])));
}

const here = (shell: string): boolean => spawnSync(shell, ['-c', ':'], { timeout: 20_000 }).error === undefined;
const OFFERS = {
  bash: (lines: readonly (readonly string[])[]) => lines.map(inBash),
  // A terminal for each line would take a second each.
  zsh: inZsh,
  fish: (lines: readonly (readonly string[])[]) => lines.map(inFish),
} as const;

const CASES: readonly (readonly [words: string[], offered: string[]])[] = [
  [['de'], ['decode']],
  [['supply', 'c'], ['clean']],
  [
    ['supply', 'list', '--ver'],
    ['--verify', '--versions'],
  ],
  [
    ['run', '--accel', ''],
    ['auto', 'tcg', 'kvm'],
  ],
  [['run', '--accel', 'tc'], ['tcg']],
  [
    ['run', '--all', 'xen-uc'],
    ['xen-uc-as-written', 'xen-uc-fatal', 'xen-uc-kexec'],
  ],
  [
    ['decode', '--vendor', ''],
    ['intel', 'amd'],
  ],
  [['--no-color', 'decode', '--bri'], ['--brief']],
  [['predict', 'srar-d'], ['srar-data']],
  [['predict', 'kvm-data-el0'], ['kvm-data-el0']],
  [['run', '--cpu', ''], []],
  [['show', 'package-l'], ['package-lock.json']],
  // From the registries: steps, kinds of machine, events, parts, settings, types of banks.
  [['scenarios', '--explain', 'inject-m'], ['inject-mce']],
  [
    ['scenarios', '--explain', 'arm64-host'],
    ['arm64-host-ghes', 'arm64-host'],
  ],
  [['scenarios', '--explain', 'guest.pan'], ['guest.panic']],
  [
    ['supply', 'fetch', 'kernel-'],
    ['kernel-generic', 'kernel-arm64'],
  ],
  [['inject', 'gh'], ['ghes']],
  [['encode', '--ipid', 'L3'], ['L3_CACHE']],
  [['decode', '--explain', 'L_MCA_PCC_WITHO'], ['L_MCA_PCC_WITHOUT_UC']],
  [['predict', '--set', 'vers'], ['version=']],
];

describe.each(SHELLS)('%s', shell => {
  const missing = `there is no ${shell} here: apt-get install --no-install-recommends ${shell}`;
  test('offers what fits, and nothing else', { timeout: 90_000 }, ({ skip }) => {
    skip(!here(shell), missing);
    const lines = CASES.map(([words]) => words);
    const found = OFFERS[shell](lines).map((offered, i) => [lines[i], offered.toSorted()]);
    expect(found).toEqual(CASES.map(([words, offered]) => [words, offered.toSorted()]));
  });

  test('offers a value behind =', { timeout: 90_000 }, ({ skip }) => {
    skip(!here(shell), missing);
    const found = OFFERS[shell]([
      ['predict', '--set', 'running=us'],
      ['run', '--accel=tc'],
    ]);
    // What is put in for what was typed: readline takes `=` for a word, fish the option and its value for one.
    const whole = { bash: ['user', 'tcg'], zsh: ['running=user', 'tcg'], fish: ['running=user', '--accel=tcg'] };
    expect(found.flat()).toEqual(whole[shell]);
  });
});

test('every command and option is in the script of each shell', () => {
  const bash = script('bash');
  const [zsh, fish] = [script('zsh'), script('fish')];
  for (const command of buildProgram().commands) {
    expect(bash).toContain(command.name());
    expect(zsh).toContain(command.name());
    expect(fish).toContain(`-a '${command.name()}'`);
    for (const { long } of command.options) {
      expect(bash).toContain(` ${long}`);
      expect(zsh).toContain(`'${long}:`);
      expect(fish).toContain(`-l ${long?.slice(2)}`);
    }
  }
});

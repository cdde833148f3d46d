import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { SHELLS, completionScript } from '@syndrome/cli/completion.ts';
import { buildProgram } from '@syndrome/cli/program.ts';

const script = (shell: (typeof SHELLS)[number]): string => completionScript(buildProgram(), shell);

/** What bash itself would offer behind these words, of which the last is not finished. */
function offered(...words: string[]): string[] {
  const line = ['syndrome', ...words].map(word => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _syndrome; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const bash = spawnSync('bash', ['--norc', '-c', `set -eu\n${script('bash')}\n${ask}`], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect(bash.stderr).toBe('');
  return bash.stdout.split('\n').filter(word => word !== '');
}

test.each<[string[], string[]]>([
  [['de'], ['decode']],
  [['supply', 'c'], ['clean']],
  [['supply', 'list', '--ver'], ['--verify']],
  [
    ['run', '--accel', ''],
    ['auto', 'tcg', 'kvm'],
  ],
  [
    ['run', '--all', 'xen-uc'],
    ['xen-uc-fatal', 'xen-uc-kexec'],
  ],
  [
    ['decode', '--vendor', ''],
    ['intel', 'amd'],
  ],
  [['--no-color', 'decode', '--bri'], ['--brief']],
  [['predict', 'srar-d'], ['srar-data']],
  [
    ['completion', ''],
    [...SHELLS, '-h', '--help'],
  ],
  [['run', '--cpu', ''], []],
  [['show', 'package-l'], ['package-lock.json']],
])('bash: %j', (words, expected) => {
  expect(offered(...words)).toEqual(expected);
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
      expect(zsh).toContain(` ${long}`);
      expect(fish).toContain(`-l ${long?.slice(2)}`);
    }
  }
});

test('each script is one that its shell can read, where the shell is here', () => {
  const faults = SHELLS.flatMap(shell => {
    const read = spawnSync(shell, ['-n'], { input: script(shell), encoding: 'utf8', timeout: 20_000 });
    return read.error === undefined && read.status !== 0 ? [`${shell}: ${read.stderr}`] : [];
  });
  expect(faults).toEqual([]);
});

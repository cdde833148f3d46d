import { expect, test } from 'vitest';
import { checkAllScreens, checkScreens, WRITERS } from '../scripts/screens.ts';

test('only the writers write to a screen', () => {
  expect(checkAllScreens(new URL('..', import.meta.url).pathname)).toEqual([]);
});

test.each([
  "process.stdout.write('x');",
  'process.stderr\n  .write(text);',
  'process?.stdout.write(text);',
  "process['stderr'].write(text);",
  'const { stdout } = process;',
  'const { pid, stderr: err } = process;',
  "import { stdout } from 'node:process';",
  "const process = await import('process');",
  "import { Console } from 'node:console';",
  'console.log(text);',
  "console['error'](text);",
  'writeSync(2, text);',
  'fs.writeFileSync(1, text);',
  "writeFileSync('/dev/stdout', text);",
  'const tty = `/dev/tty`;',
  "openSync('/proc/self/fd/2', 'w');",
  'process.emitWarning(text);',
  'show(process.stdout);',
])('%s is refused', source => {
  expect(checkScreens('packages/lab/src/a.ts', `// one\n${source}`)).toEqual([
    {
      file: 'packages/lab/src/a.ts',
      line: 2,
      specifier: expect.any(String),
      reason: expect.stringContaining(WRITERS[0] ?? ''),
    },
  ]);
  for (const file of [...WRITERS, 'packages/lab/src/a.test.ts', 'packages/lab/src/testing/a.ts']) {
    expect(checkScreens(file, source)).toEqual([]);
  }
});

test.each([
  'child.stdout.on(data);',
  '// process.stdout.write(text)',
  "const text = 'console.log(1)';",
  "tape.console(socket('console'), 'vmm');",
  'writeSync(fd, text);',
  "readlinkSync('/proc/self/fd/0');",
  'const { stdout } = spawnSync(command);',
])('%s is allowed', source => {
  expect(checkScreens('packages/lab/src/a.ts', source)).toEqual([]);
});

import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// The second start is faster: V8 keeps the compiled (and type-stripped) modules. They are code, so they lie where the code
// lies and not in a shared folder; where that cannot be written to, every start compiles again.
enableCompileCache(join(import.meta.dirname, '../../../node_modules/.cache/syndrome'));
// bin/syndrome names the same folder, for this program alone: what it starts has a cache of its own, or none.
delete process.env['NODE_COMPILE_CACHE'];

// Before anything is made: what the program keeps is its user's alone, whatever the umask.
(await import('@syndrome/base/disk/umask.ts')).makePrivately();

const { fail } = await import('./fail.ts');
const { endWhenOutputIsLost } = await import('./lost-output.ts');

const argv = process.argv.slice(2);
endWhenOutputIsLost(argv);
// A defect of ours is no verdict about anybody: Node's own exit code 1 would be one.
process.on('uncaughtException', error => process.exit(fail(error, argv)));

try {
  const { buildProgram } = await import('./program.ts');
  const { runProgram } = await import('./run-program.ts');
  await runProgram(buildProgram(), argv);
} catch (error) {
  process.exitCode = fail(error, argv);
}

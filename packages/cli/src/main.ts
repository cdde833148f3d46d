import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

const argv = process.argv.slice(2);

// The second start is faster: V8 keeps the compiled (and type-stripped) modules. They are code, so they lie where the code
// lies and not in a shared folder; where that cannot be written to, every start compiles again. A published agent goes without:
// it starts once, and would keep in memory what it had read of them. In a clone it has a folder of its own: V8 takes no code that
// was made under other bounds than its own, and so each would make all of the other's anew.
const isAgent = argv[0] === 'agent';
const cache = join(import.meta.dirname, '../../../node_modules/.cache', isAgent ? 'syndrome-agent' : 'syndrome');
if (import.meta.filename.endsWith('.ts') || !isAgent) enableCompileCache(cache);
// bin/syndrome sets it for this process, and not for what this process starts.
if (process.env['NODE_COMPILE_CACHE'] === cache) delete process.env['NODE_COMPILE_CACHE'];

// It is beside VMs, on memory that is theirs; V8 takes such bounds only before it has grown.
if (isAgent) (await import('@syndrome/supervisor/agent/stay-small.ts')).staySmall();

// Before anything is made: what the program keeps is its user's alone, whatever the umask.
(await import('@syndrome/base/disk/umask.ts')).makePrivately();

const { fail } = await import('./fail.ts');
const { endWhenOutputIsLost } = await import('./lost-output.ts');

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

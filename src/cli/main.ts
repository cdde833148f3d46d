import { enableCompileCache } from 'node:module';

// The second start is faster: V8 keeps the compiled (and type-stripped) modules.
enableCompileCache();

const { program } = await import('./program.ts');
const { fail } = await import('./fail.ts');

try {
  await program(process.argv.slice(2));
} catch (error) {
  process.exitCode = fail(error, process.argv.slice(2));
}

/** `npm run check`: formatter, linter, types and the import rule. Prints what failed; exit 1 if anything did. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { checkAllImports } from './imports.ts';

const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);

let failed = 0;
function step(name: string, run: () => boolean): void {
  const ok = run();
  if (!ok) failed++;
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name}`);
}
const tool = (command: string, args: string[]) => (): boolean =>
  spawnSync(bin(command), args, { cwd: root, stdio: 'inherit' }).status === 0;

step('format (biome)', tool('biome', ['format', '.']));
step('lint (oxlint)', tool('oxlint', ['--type-aware', '--deny-warnings', 'src', 'test', 'scripts']));
step('types (tsc)', tool('tsc', ['--project', '.']));
step('import rule (scripts/rooms.ts)', () => {
  const violations = checkAllImports(root);
  for (const v of violations) console.log(`${v.file}:${v.line}: ${v.reason} (${v.specifier})`);
  return violations.length === 0;
});
process.exitCode = failed === 0 ? 0 : 1;

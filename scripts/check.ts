/** `npm run check`: formatter, linter, types, purity, the import and screen rules, dead exports, raw register bits, readers of lines and state in modules. Prints what failed; exit 1 if anything did. */
import { join } from 'node:path';
import { runChild } from './child.mjs';
import { commandLine } from './command-line.ts';
import { checkAllExports } from './exports.ts';
import { checkAllImports } from './imports.ts';
import { checkAllModuleState } from './module-state.ts';
import { checkAllRawBits } from './raw-bits.ts';
import { checkAllScreens } from './screens.ts';
import { checkAllWires } from './wires.ts';

commandLine({});
const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);

let failed = 0;
async function step(name: string, run: () => boolean | Promise<boolean>): Promise<void> {
  const ok = await run();
  if (!ok) failed++;
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name}`);
}
const tool = (command: string, args: string[]) => async (): Promise<boolean> => {
  const child = await runChild(process.execPath, [bin(command), ...args], { cwd: root });
  if (child.interrupted) process.exit(child.code);
  return child.code === 0;
};

await step('format (biome)', tool('biome', ['format', '.']));
await step('lint (oxlint)', tool('oxlint', ['--type-aware', '--deny-warnings', 'packages', 'test', 'scripts']));
await step('types (tsc)', tool('tsc', ['--project', '.']));
await step('pure rooms without Node (tsconfig.pure.json)', tool('tsc', ['--project', 'tsconfig.pure.json']));
await step('pages in a browser (tsconfig.web.json)', tool('tsc', ['--project', 'tsconfig.web.json']));
for (const [name, violationsOf] of [
  ['import rule (scripts/rooms.ts)', checkAllImports],
  ['screen rule (scripts/screens.ts)', checkAllScreens],
  ['dead exports (scripts/exports.ts)', checkAllExports],
  ['raw register bits (scripts/raw-bits.ts)', checkAllRawBits],
  ['one reader a wire (scripts/wires.ts)', checkAllWires],
  ['no state in modules (scripts/module-state.ts)', checkAllModuleState],
] as const) {
  await step(name, () => {
    const violations = violationsOf(root);
    for (const v of violations) console.log(`${v.file}:${v.line}: ${v.reason} (${v.specifier})`);
    return violations.length === 0;
  });
}
process.exitCode = failed === 0 ? 0 : 1;

/**
 * docs/adding.md as data. A recipe says `New file `x`:`, or `In `x`, after (before, instead of) the line `y`:`, with a block of
 * what stands there; a block of `console` shows commands and lines of their output.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';

/** Of the repository. */
export const ROOT = join(import.meta.dirname, '..');
/** A machine that runs all tests at once is slow. */
const COMMAND_MS = 180_000;

interface Recipe {
  name: string;
  /** All of it. */
  text: string;
  edits: { file: string; where?: 'after' | 'before' | 'instead of'; line?: string; text: string }[];
  commands: { args: string[]; shown: string[] }[];
}

/** The recipes of docs/adding.md. */
export function recipes(): Recipe[] {
  const doc = readFileSync(join(ROOT, 'docs/adding.md'), 'utf8');
  return doc
    .split(/^## /m)
    .slice(1)
    .map(section => ({
      name: section.slice(0, section.indexOf('\n')),
      text: section,
      edits: [
        ...section.matchAll(
          /^(?:New file|In) `([^`]+)`(?:, (after|before|instead of) the line `([^`]+)`)?[^`]*:\n\n```\w+\n([\s\S]*?)^```$/gm,
        ),
      ].map(([, file = '', where, line, text = '']) => ({
        file,
        ...(where === undefined ? {} : { where: where as 'after' | 'before' | 'instead of', line: line ?? '' }),
        text,
      })),
      commands: [...section.matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
        block
          .split(/^\$ syndrome /m)
          .slice(1)
          .map(part => {
            const [command = '', ...shown] = part.trimEnd().split('\n');
            return { args: command.split(' '), shown };
          }),
      ),
    }));
}

/** The sources in a folder of their own, with what a recipe adds; packages of others come from here. */
export function cooked({ edits }: Pick<Recipe, 'edits'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'adding-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }), COMMAND_MS);
  const skipped = /(?:\.test\.ts|\/golden|\/testing|\/node_modules|\/dist)$/;
  for (const part of ['packages', 'scenarios', 'guest'])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true, filter: file => !skipped.test(file) });
  for (const file of ['package.json', 'tsconfig.json']) cpSync(join(ROOT, file), join(folder, file));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@syndrome'), { recursive: true });
  for (const name of readdirSync(join(ROOT, 'node_modules')))
    if (name !== '@syndrome') symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  for (const name of readdirSync(join(folder, 'packages')))
    symlinkSync(join(folder, 'packages', name), join(modules, '@syndrome', name));
  for (const edit of edits) apply(folder, edit);
  return folder;
}

function apply(folder: string, { file, where, line, text }: Recipe['edits'][number]): void {
  const path = join(folder, file);
  if (where === undefined) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { flag: 'wx' });
    return;
  }
  const lines = readFileSync(path, 'utf8').split('\n');
  const at = lines.flatMap((l, i) => (l.trim() === line?.trim() ? [i] : []));
  expect(at, `${file} has the line ${line} once`).toHaveLength(1);
  lines.splice((at[0] ?? 0) + (where === 'after' ? 1 : 0), where === 'instead of' ? 1 : 0, text.trimEnd());
  writeFileSync(path, lines.join('\n'));
}

/** What the copied program prints. */
export function syndrome(folder: string, args: readonly string[], deadlineMs = COMMAND_MS): string[] {
  const env = { ...process.env, NO_COLOR: '1', SYNDROME_STATE: join(folder, 'state') };
  const main = join(folder, 'packages/cli/src/main.ts');
  const out = execFileSync(process.execPath, [main, ...args], {
    cwd: folder,
    env,
    encoding: 'utf8',
    timeout: deadlineMs,
  });
  return out.split('\n');
}

import { screenJson } from '../report/json.ts';
import { type Style, styleFor, widthOf } from '../report/style.ts';
import type { Look } from '../report/text.ts';

/** Options every command has. */
export interface GlobalOptions {
  color?: boolean;
}

/** Colour on stdout, unless the user said otherwise. `--color` is only meant where it was given. */
export function stdoutStyle(options: GlobalOptions): Style {
  const asked = process.argv.includes('--color') ? true : options.color === false ? false : undefined;
  return styleFor(process.stdout, asked);
}

/** How a report is drawn on stdout. */
export function stdoutLook(options: GlobalOptions): Look {
  return { style: stdoutStyle(options), width: widthOf(process.stdout) };
}

/** Writes a value to stdout as JSON, one line unless indented. */
export function printJson(value: unknown, indent?: number): void {
  print(screenJson(value, indent));
}

/** Writes a line to stdout. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

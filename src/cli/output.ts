import { type Style, styleFor } from '../report/style.ts';

/** Options every command has. */
export interface GlobalOptions {
  color?: boolean;
}

/** Colour on stdout, unless the user said otherwise. `--color` is only meant where it was given. */
export function stdoutStyle(options: GlobalOptions): Style {
  const asked = process.argv.includes('--color') ? true : options.color === false ? false : undefined;
  return styleFor(process.stdout, asked);
}

/** Writes a line to stdout; a closed pipe (`| head`) ends the program quietly. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

/**
 * @module Opens a link in the browser of the desktop. What is on a command line every user of a machine can read, so it is a
 * file of this user's own that is opened, and the file leads on.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { say } from './output.ts';

/** A file that leads to a link; it is removed when the link was used, or the program ends. */
export class LeadingFile {
  readonly path: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'syndrome-web-'));

  /** @param url of this program: nothing in it is of HTML */
  constructor(url: string) {
    this.path = join(this.#folder, 'open.html');
    const page = `<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Syndrome</title>\n<meta http-equiv="refresh" content="0; url=${url}">\n<p><a href="${url}">Go on</a></p>\n</html>\n`;
    writeFileSync(this.path, page, { mode: 0o600, flag: 'wx' });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** What opens a file in the program of the desktop for it (xdg-utils). */
const OPENER = 'xdg-open';

/** That no browser was opened is told, and no fault: the link is printed. */
export const notOpened = (why: string): void =>
  say(safeText(`no browser was opened (${why}); open the link that is printed`, 600));

/** Opens a file in a browser. */
export function openInBrowser(path: string): void {
  const failed = (why: string): void => notOpened(`${OPENER}: ${why}`);
  const child = spawn(OPENER, [path], { stdio: 'ignore', detached: true });
  child.on('error', error =>
    failed((error as NodeJS.ErrnoException).code === 'ENOENT' ? 'not installed' : error.message),
  );
  child.on('exit', code => code !== 0 && code !== null && failed(`exit code ${code}`));
  child.unref();
}

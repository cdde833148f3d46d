/** @module `syndrome web`: the pages from a server of this user's own, with what lies in the state folder. */
import { statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { OneTimeLinks } from '@syndrome/base/http/one-time-link.ts';
import { type Place, serve } from '@syndrome/base/http/serve.ts';
import { messageOf, UsageError } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { stateFolder } from '@syndrome/lab/state-dir.ts';
import { webApp } from '@syndrome/web/server/app.ts';
import type { Root } from '@syndrome/web/server/catalog.ts';
import { template } from '@syndrome/web/template.ts';
import { isInForeground, onEnter } from './foreground.ts';
import { interruptSignal } from './interrupt.ts';
import { LeadingFile, notOpened, openInBrowser } from './open-browser.ts';
import { type GlobalOptions, print, printJson, say } from './output.ts';

interface Options extends GlobalOptions {
  port?: number;
  socket?: string;
  open?: boolean;
  state?: string;
  json?: boolean;
}

/** Where runs and matrices keep what they have measured. */
const KEPT = ['traces', 'matrices'] as const;

/** What is offered: the state folder, and what is named. @throws UsageError, LabError E_LAB_STATE_DIR */
function rootsOf(paths: readonly string[], state: string | undefined): Root[] {
  if (state !== undefined && statSync(state, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new UsageError('E_USAGE_FILE', `--state ${state}: there is no such folder`);
  const roots = KEPT.map(
    (name): Root => ({
      name,
      path: state === undefined ? stateFolder(name) : join(resolve(state), name),
      optional: true,
    }),
  );
  for (const given of paths) {
    const stats = statSync(given, { throwIfNoEntry: false });
    if (stats?.isDirectory() !== true && stats?.isFile() !== true) {
      throw new UsageError('E_USAGE_FILE', `${given} is neither a folder nor a file`, {
        hint: 'Name folders with traces and matrices, or such files.',
      });
    }
    const path = resolve(given);
    const base = basename(path) || 'root';
    const taken = (name: string): boolean => roots.some(root => root.name === name);
    let name = base;
    for (let n = 2; taken(name); n++) name = `${base}-${n}`;
    roots.push({ name, path });
  }
  return roots;
}

/** Serves until Ctrl-C or SIGTERM. @throws UsageError, HttpError, LabError */
export async function web(paths: readonly string[], options: Options): Promise<void> {
  const { open = false, json = false } = options;
  if (options.socket !== undefined && open)
    throw new UsageError('E_USAGE', '--open: browsers do not open unix sockets', { hint: 'Leave --socket out.' });
  const roots = rootsOf(paths, options.state);
  const signal = interruptSignal();
  const onFault = (error: unknown): void => say(`a fault at an answer: ${safeText(messageOf(error), 500)}`);
  const base = { roots, template: await template(), signal, onFault };
  if (options.socket !== undefined) {
    const socket = resolve(options.socket);
    const { ended } = await serve(webApp(base), { socket }, signal);
    tell(
      { socket },
      socket,
      json,
      `For a browser: ssh -L 127.0.0.1:8137:${socket} HOST, and there http://127.0.0.1:8137/, which every user of that machine can open`,
    );
    return ended;
  }
  let leading: LeadingFile | undefined;
  const links = new OneTimeLinks(() => {
    leading?.remove();
    say('the link was used; Ctrl-C ends the server');
  });
  const place: Place = { port: options.port ?? 0 };
  const { port, ended } = await serve(webApp({ ...base, links }), place, signal);
  const urlOf = (link: string): string => `http://127.0.0.1:${port}${link}`;
  const url = urlOf(links.link());
  const another = process.stdin.isTTY && isInForeground() ? '; Enter makes another' : '';
  tell({ port, url }, url, json, `The link is good for one browser${another}. Ctrl-C ends the server.`);
  const stopListening = onEnter(() => print(urlOf(links.link())));
  try {
    if (open) {
      try {
        leading = new LeadingFile(url);
        openInBrowser(leading.path);
      } catch (error) {
        notOpened(messageOf(error));
      }
    }
    await ended;
  } finally {
    stopListening();
    leading?.remove();
  }
}

/** What a script needs on stdout, and what a person should know on stderr. */
function tell(data: object, line: string, json: boolean, hint: string): void {
  if (json) printJson({ schemaVersion: 1, ...data });
  else print(safeText(line));
  say(hint);
}

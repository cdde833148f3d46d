/** @module What `syndrome web` answers: the page, the list, files, and runs as they go on. */
import { createHash } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type HttpEnv, newApp } from '@syndrome/base/http/app.ts';
import { eventStream, lastEventId, type ServerEvent } from '@syndrome/base/http/events.ts';
import type { OneTimeLinks } from '@syndrome/base/http/one-time-link.ts';
import type { Context, Hono } from 'hono';
import { servedPage } from '../served.ts';
import { Catalog, type OpenFile, type Root } from './catalog.ts';
import { follow } from './follow.ts';

/** What a server is made of. */
interface WebOptions {
  roots: readonly Root[];
  /** Of `template()`. */
  template: string;
  /** On loopback, where others can connect too. */
  links?: OneTimeLinks;
  /** Ends the streams. */
  signal: AbortSignal;
  /** Told of faults of this program. */
  onFault: (error: unknown) => void;
}

/** How often the folders are looked at while a page shows them, ms; more seldom where that takes more than a share of it. */
const LIST_MS = 1000;
const LIST_SHARE = 0.1;
const PIECE = 1 << 18;

const nameOf = (c: Context): string => c.req.query('name') ?? '';

/** 0 at the end, and where nothing can be read any more. */
function countRead(fd: number, bytes: Buffer, at: number): number {
  try {
    return readSync(fd, bytes, 0, bytes.length, at);
  } catch {
    return 0;
  }
}

/** A file as it is now; bytes that come to it meanwhile are left out. */
function bodyOf({ fd, size }: OpenFile, cut: () => void): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const bytes = Buffer.alloc(Math.min(PIECE, size - at));
        const count = bytes.length === 0 ? 0 : countRead(fd, bytes, at);
        at += count;
        if (count > 0) return controller.enqueue(bytes.subarray(0, count));
        closeSync(fd);
        // It has become shorter while it was sent: the page must not take that for all of it.
        if (at < size) cut();
        controller.close();
      },
      cancel: () => closeSync(fd),
    },
    { highWaterMark: 0 },
  );
}

/** The list, again whenever it is another one. */
async function* lists(
  catalog: Catalog,
  last: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent, void> {
  for (let known = last, pause = LIST_MS; !signal.aborted; await sleep(pause, undefined, { signal }).catch(() => {})) {
    const began = performance.now();
    const data = JSON.stringify(catalog.list());
    pause = Math.max(LIST_MS, (performance.now() - began) / LIST_SHARE);
    const id = createHash('sha256').update(data).digest('hex').slice(0, 16);
    if (id !== known) yield { event: 'list', id, data };
    known = id;
  }
}

/** The application. */
export function webApp({ roots, template, links, signal, onFault }: WebOptions): Hono<HttpEnv> {
  const { html, policy } = servedPage(template);
  const catalog = new Catalog(roots);
  const app = newApp(onFault);
  const at = links?.folder ?? '/';
  if (links) app.use(links.check);
  app.get(at, c => c.html(html, 200, { 'Content-Security-Policy': policy }));
  app.get(`${at}api/list`, c => c.json(catalog.list()));
  app.get(`${at}api/list/events`, c => eventStream(c, stop => lists(catalog, lastEventId(c), stop), signal));
  app.get(`${at}api/file`, c => {
    const file = catalog.open(nameOf(c));
    const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': String(file.size) };
    if (c.req.method === 'HEAD') {
      closeSync(file.fd);
      return c.body(null, 200, headers);
    }
    return c.body(
      bodyOf(file, () => c.env.outgoing.destroy()),
      200,
      headers,
    );
  });
  app.get(`${at}api/follow`, c => {
    const name = nameOf(c);
    // What cannot be opened is told before anything is streamed.
    closeSync(catalog.open(name).fd);
    const source = { open: () => catalog.open(name), isWritten: (path: string) => catalog.isWritten(path) };
    return eventStream(c, stop => follow(source, lastEventId(c), stop), signal);
  });
  return app;
}

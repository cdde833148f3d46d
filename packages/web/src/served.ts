/** @module The page as a server gives it: the same file, which may ask the server that it came from, and nobody else. */

import { fleetOpeningMarkup, openingMarkup } from './view/masthead.ts';

/** Which page: that of files, or that of a fleet. */
export type Which = 'page' | 'fleet';

/** What each file shows until its script has run, and what it does where a server gives it. */
export const OPENINGS: Readonly<Record<Which, { file: string; served: string }>> = {
  page: { file: openingMarkup(false), served: openingMarkup(true) },
  fleet: { file: fleetOpeningMarkup(), served: fleetOpeningMarkup() },
};

/** The page, and the policy that belongs into the header beside it. */
interface ServedPage {
  html: string;
  policy: string;
}

/**
 * The template for a server.
 * @param template of `template()`
 * @throws Error where it has not the form that `build.ts` gives it
 */
export function servedPage(template: string, which: Which = 'page'): ServedPage {
  const opening = OPENINGS[which];
  const written = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(template)?.[1];
  const root = `<div id="app">${opening.file}</div>`;
  if (written === undefined || !template.includes(root)) throw new Error('the template of the page is damaged');
  const policy = `${written}; connect-src 'self'`;
  const html = template
    .replace(`content="${written}"`, () => `content="${policy}"`)
    .replace(root, () => `<div id="app" data-served>${opening.served}</div>`);
  // What a page cannot say of itself.
  return { html, policy: `${policy}; frame-ancestors 'none'` };
}

/**
 * @module What stands on top of every page, as plain data: the file carries it as markup, which a browser draws before any script
 * has run, and the script makes the same elements of it.
 */
import { escapeHtml } from './html.ts';

/** An element: its name, its attributes, what is in it. */
export type Tag = readonly [name: string, attributes: Readonly<Record<string, string>>, ...inner: (Tag | string)[]];

/** The pages, in the order of their keys. */
const PAGE_NAMES = { decode: 'Decode', trace: 'Trace', matrix: 'Matrix', runs: 'Runs' } as const;
export type PageName = keyof typeof PAGE_NAMES;
export const PAGES = Object.keys(PAGE_NAMES) as PageName[];

/** The pages that there are: of what a server has there is a list. */
export const pagesOf = (served: boolean): PageName[] => PAGES.filter(name => name !== 'runs' || served);

const BRAND: Tag = [
  'span',
  { class: 'brand' },
  [
    'svg',
    { width: '20', height: '20', viewBox: '0 0 20 20', 'aria-hidden': 'true' },
    ['rect', { width: '20', height: '20', rx: '5', class: 'logo-ground' }],
    ['path', { d: 'M3 10.5h3.2l1.9-5 3.1 9 2-6 1 2H17', class: 'logo-line' }],
  ],
  'Syndrome',
];
const LOCK: Tag = [
  'svg',
  { width: '11', height: '13', viewBox: '0 0 11 13', 'aria-hidden': 'true' },
  ['path', { d: 'M2 6V4a3.5 3.5 0 0 1 7 0v2M1 6h9v6H1z' }],
];

/** What a page keeps to itself. */
function privacy(served: boolean): Tag {
  const refused = `The browser refuses every ${served ? 'other ' : ''}connection of this page (Content-Security-Policy)`;
  const words = served ? 'asks its own server only' : 'nothing leaves this page';
  return ['span', { class: 'private', title: refused }, LOCK, ['span', { class: 'private-words' }, words]];
}

/**
 * Brand, pages, and what the page keeps to itself. A button of a page names it in `data-page`.
 * @param served the page came from a server, and may ask that
 * @param open the page that is open; undefined before that is known
 */
export function masthead(served: boolean, open?: PageName): Tag[] {
  const pages = pagesOf(served).map((name, i): Tag => {
    const is: Record<string, string> = name === open ? { 'aria-current': 'page' } : {};
    return ['button', { type: 'button', 'data-page': name, title: `key ${i + 1}`, ...is }, PAGE_NAMES[name]];
  });
  return [BRAND, ['nav', { class: 'pages', 'aria-label': 'Pages' }, ...pages], privacy(served)];
}

/** The same for the page of a fleet, which a controller serves. */
export const fleetMasthead = (): Tag[] => [BRAND, ['span', { class: 'page-name' }, 'Fleet'], privacy(true)];

const markupOf = (of: Tag | string): string => {
  if (typeof of === 'string') return escapeHtml(of);
  const [name, attributes, ...inner] = of;
  const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeHtml(value)}"`);
  return `<${name}${given.join('')}>${inner.map(markupOf).join('')}</${name}>`;
};

const opening = (top: readonly Tag[]): string =>
  markupOf(['header', { class: 'top' }, ...top]) + markupOf(['main', { class: 'opening' }, ['h1', {}, 'opening …']]);

/** What a page shows until its script has run: the top of it, and that it is being opened. */
export const openingMarkup = (served: boolean): string => opening(masthead(served));
export const fleetOpeningMarkup = (): string => opening(fleetMasthead());

/** @module Text within HTML and SVG. */

/**
 * Text as it stands between elements and in attributes: each character that markup obeys as a reference to it.
 * @example escapeMarkup('<b>') // '&#60;b&#62;'
 */
export const escapeMarkup = (text: string): string => text.replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`);

/** @module Text of anybody within Markdown. */
import { safeText } from './screen.ts';

/** Text for one line of CommonMark: nothing of it is markup, a link, a mention or HTML. @example markdownText('a|b') // 'a\\|b' */
export function markdownText(text: string): string {
  return safeText(text.replace(/\s+/g, ' '), 500).replace(/[\\`*_{}[\]()#+!|<>~@&]/g, character => `\\${character}`);
}

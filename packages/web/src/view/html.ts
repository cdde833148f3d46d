/** @module Text within HTML. */
import { escapeMarkup } from '@syndrome/decode/common/markup.ts';
import { escapeText } from '@syndrome/decode/common/screen.ts';

/** What hides or turns around what a reader sees is escaped as on a screen, markup as HTML wants it, also in attributes. */
export const escapeHtml = (text: string): string => escapeMarkup(escapeText(text));

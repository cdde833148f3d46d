/** @module Answers as text, and the tags by which they are known again. */
import { createHash } from 'node:crypto';
import { toJson } from '../wire/json.ts';

/** An answer as it is sent. */
export const textOf = (body: unknown): string => `${toJson(body)}\n`;

/** Of an answer: the same answer has the same. */
export const tagOf = (text: string): string =>
  `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`;

/** Whether a header of tags names this one (RFC 9110, 13.1); weak ones, too: nothing here has two forms. */
export const isTagOf = (tag: string, header: string): boolean =>
  header.split(',').some(one => one.trim() === '*' || one.trim().replace(/^W\//, '') === tag);

/** @module A body of the operator's own form: JSON whose texts hold words in braces. What is filled in stays a text. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import { nearest } from '@syndrome/decode/common/nearest.ts';
import { NotifyError } from './errors.ts';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** The words that a template may use. */
const WORDS = [
  'id',
  'type',
  'severity',
  'summary',
  'time',
  'vm',
  'vmName',
  'host',
  'incident',
  'notBefore',
  'lost',
  'playbook',
] as const;
export type Words = Partial<Record<(typeof WORDS)[number], string>>;

const WORD = /\{([A-Za-z]+)\}/g;
/** Longest text of one word: a VM's name comes from its owner. */
const MAX_WORD = 500;

function mapTexts(json: Json, map: (text: string) => string): Json {
  if (typeof json === 'string') return map(json);
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return (json as readonly Json[]).map(item => mapTexts(item, map));
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, mapTexts(value, map)]));
}

/** @throws NotifyError E_NOTIFY_TEMPLATE for a word that no notice has */
export function checkTemplate(template: Json): void {
  mapTexts(template, text => {
    for (const [, word = ''] of text.matchAll(WORD)) {
      if ((WORDS as readonly string[]).includes(word)) continue;
      const near = nearest(word, WORDS);
      throw new NotifyError('E_NOTIFY_TEMPLATE', `no notice has the word {${word}}`, {
        hint: near === undefined ? `Words are: ${WORDS.join(', ')}.` : `Did you mean {${near}}?`,
      });
    }
    return text;
  });
}

/**
 * Fills a template. A value becomes part of one text and of nothing else: it makes no member, no element and no further
 * word, and has no character that a terminal obeys. A word without a value is empty.
 * @example fillTemplate({ text: '{vmName}: {summary}' }, { vmName: 'db"1', summary: 'lost' }) // { text: 'db"1: lost' }
 */
export function fillTemplate(template: Json, words: Words): Json {
  return mapTexts(template, text =>
    text.replace(WORD, (_all, word: keyof Words) => safeText(words[word] ?? '', MAX_WORD)),
  );
}

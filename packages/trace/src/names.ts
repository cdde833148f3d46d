/** Names of events, fields and parts; a trace may come from anybody. */
export const NAME = /^[A-Za-z][\w.-]{0,63}$/;

/** What a header says with a word, a number or not at all; anything else says nothing. */
export const wordOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';

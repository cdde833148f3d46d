/** @module What untrusted text may do to a screen, and the one form in which it is shown instead. */

/**
 * What a screen obeys or hides: control and format characters, separators of lines, lone surrogates, code points that are
 * no characters (XML cannot hold them), all that Unicode lets a font leave out (fillers, variation selectors, tags), and
 * the blank of Braille. Named by property, so that no list of ours can fall behind.
 */
const HOSTILE = String.raw`\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{NChar}\u2800`;
/** A tab moves what follows and does nothing else: it stays. */
const IN_LINE = new RegExp(`[[${HOSTILE}]--\\t]`, 'v');
const IN_LINES = new RegExp(`[[${HOSTILE}]--[\\t\\n]]`, 'v');
const EVERY = new RegExp(IN_LINE, 'vg');
const EVERY_BUT_LINE_FEEDS = new RegExp(IN_LINES, 'vg');

/**
 * What is beyond doubt: ASCII, Latin letters, the marks of typography and technical signs. To look a character up by its
 * properties costs ten times as much as such ranges, and most text holds nothing else.
 */
const DOUBTFUL = /[^\t -~\u00a0-\u00ac\u00ae-\u034e\u2010-\u2027\u2030-\u205e\u20a0-\u27ff]/;
const DOUBTFUL_LINES = /[^\t\n -~\u00a0-\u00ac\u00ae-\u034e\u2010-\u2027\u2030-\u205e\u20a0-\u27ff]/;

/** `\x1b`, and `\u{200b}` where two digits do not hold it: a form that ends where it ends. */
function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** Whether a screen would obey or hide something in a line; a line end in it counts. */
export function isHostile(text: string): boolean {
  return DOUBTFUL.test(text) && IN_LINE.test(text);
}

/** Untrusted text for one line of a screen: what a screen would obey or hide becomes a visible escape, line ends too. */
export function escapeText(text: string): string {
  return DOUBTFUL.test(text) ? text.replace(EVERY, visible) : text;
}

/** As {@link escapeText}, for text of several lines: its line feeds stay. */
export function escapeLines(text: string): string {
  return DOUBTFUL_LINES.test(text) ? text.replace(EVERY_BUT_LINE_FEEDS, visible) : text;
}

/** The same in JSON, where an escape keeps the value what it is; line feeds between its members stay. */
export function escapeJson(json: string): string {
  if (!DOUBTFUL_LINES.test(json)) return json;
  return json.replace(EVERY_BUT_LINE_FEEDS, character =>
    Array.from({ length: character.length }, (_, i) => jsonEscape(character.charCodeAt(i))).join(''),
  );
}

const jsonEscape = (unit: number): string => `\\u${unit.toString(16).padStart(4, '0')}`;

/** {@link escapeText} of a bounded length, so that one line cannot fill a screen. */
export function safeText(text: string, maxLength = 4096): string {
  return text.length <= maxLength ? escapeText(text) : `${escapeText(text.slice(0, cutAt(text, maxLength)))}…`;
}

/** Where to cut text of which at most so much fits: one before that where a pair of surrogates would be torn. */
export function cutAt(text: string, length: number): number {
  const unit = text.charCodeAt(length - 1);
  return unit >= 0xd800 && unit < 0xdc00 ? length - 1 : length;
}

/** @module A text in which letters stand for its commonest phrases: a quarter shorter, and those who compress it still find its words. */

/**
 * The text that was packed. In what is given the first character parts all pieces: each phrase behind its letter, made of
 * phrases before it, and at last the text that they stand in.
 * @example unpacked('|Āerror|āĀ, Ā|ā!') // 'error, error!'
 */
export function unpacked(text: string): string {
  const pieces = text.slice(1).split(text.charAt(0));
  const phrases: Record<string, string> = {};
  const read = (piece: string): string => piece.replace(/[\u0100-\u024f]/g, letter => phrases[letter] ?? letter);
  const rest = pieces.pop() ?? '';
  for (const piece of pieces) phrases[piece.charAt(0)] = read(piece.slice(1));
  return read(rest);
}

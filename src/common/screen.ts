/**
 * Makes untrusted text safe for a terminal: control characters, escape sequences and bidirectional overrides become
 * visible escapes. Tab stays. Length is bounded so that one line cannot fill a screen.
 */
export function safeText(text: string, maxLength = 4096): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return cut.replace(
    /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    c => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

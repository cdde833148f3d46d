/** @module An HTML document that is allowed its own script and style, by their hashes, and nothing else. */
import { createHash } from 'node:crypto';
import { escapeHtml } from './view/html.ts';

interface Parts {
  /** Any text. */
  title: string;
  styles: readonly string[];
  /** Scripts that may run, wherever they stand in the body, and packed or not: a policy allows what they are. None: no script at all. */
  scripts?: readonly string[];
  /** Where pictures may come from: `data:`, `blob:`. */
  images: readonly string[];
  /** Elements, made by this program. */
  body: string;
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/**
 * A whole document with its policy (Content Security Policy Level 3).
 * @example documentOf({ title: 'A report', styles: [css], images: ['data:'], body: '<main>…</main>' })
 */
export function documentOf({ title, styles, scripts = [], images, body }: Parts): string {
  const policy = [
    "default-src 'none'",
    ...(scripts.length === 0 ? [] : [`script-src ${scripts.map(hashOf).join(' ')}`]),
    `style-src ${styles.map(hashOf).join(' ')}`,
    `img-src ${images.join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en" data-theme="auto">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
${styles.map(text => `<style>${text}</style>`).join('\n')}
</head>
<body>
${body}
</body>
</html>
`;
}

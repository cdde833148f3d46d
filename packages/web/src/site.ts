/** @module A page without a script: in the looks of the template, allowed nothing but its own style. */
import { createHash } from 'node:crypto';
import { escapeHtml } from './view/html.ts';

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/**
 * @param template of which the style is taken
 * @param page.title any text
 * @param page.style rules of its own besides
 * @param page.body elements, made by this program (`reportHtml`)
 */
export function plainPage(
  template: string,
  { title, style, body }: { title: string; style: string; body: string },
): string {
  const styles = [/<style>([^]*?)<\/style>/.exec(template)?.[1] ?? '', style];
  const policy = [
    "default-src 'none'",
    `style-src ${styles.map(hashOf).join(' ')}`,
    'img-src data:',
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

/** @module Makes the template: one HTML file with script and style in it, and a policy that allows these two and nothing else. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { build } from 'vite';

/** What a script element must not hold: its end, and the beginning of a comment in it. */
const inScript = (code: string): string => code.replace(/<\/(?=script)/gi, '<\\/').replaceAll('<!--', '<\\!--');

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Builds the page. Takes about half a second. */
export async function buildTemplate(): Promise<string> {
  const page = join(import.meta.dirname, 'page');
  const result = await build({
    configFile: false,
    root: page,
    logLevel: 'error',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      write: false,
      target: 'es2023',
      minify: true,
      cssMinify: true,
      lib: { entry: join(page, 'main.tsx'), formats: ['iife'], name: 'syndrome', fileName: () => 'page.js' },
    },
  });
  const outputs = (Array.isArray(result) ? result : [result]).flatMap(one => ('output' in one ? one.output : []));
  const chunk = outputs.find(output => output.type === 'chunk');
  const asset = outputs.find(output => output.type === 'asset' && output.fileName.endsWith('.css'));
  if (chunk?.type !== 'chunk' || asset?.type !== 'asset') throw new Error('the page was not built');
  const script = inScript(chunk.code.trim());
  const style = String(asset.source).trim();
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    'img-src data: blob:',
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
<title>Syndrome</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<div id="app"></div>
<noscript><p>This page is drawn by the script in it; nothing is loaded from elsewhere. Allow scripts for this file, or use the same command without --html.</p>
<!--STATIC--></noscript>
<!--DATA-->
<script id="syndrome">${script}</script>
</body>
</html>
`;
}

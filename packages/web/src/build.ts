/** @module Makes the template: one HTML file with script and style in it, and a policy that allows these two and nothing else. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { documentOf } from './document.ts';
import { OPENINGS, type Which } from './served.ts';

/** What a script element must not hold: its end, and the beginning of a comment in it. */
const inScript = (code: string): string => code.replace(/<\/(?=script)/gi, '<\\/').replaceAll('<!--', '<\\!--');

/** Blocks of less than the usual 16 k symbols follow the many small tables more closely. */
const PACKED = { level: 9, memLevel: 7 } as const;

interface Built {
  script: string;
  style: string;
}

/**
 * Elements as `h('p', props, …)`: in the automatic form children are a property, which takes 5 kB. Whatever NODE_ENV is, they
 * do not say in which file and line they were made.
 */
const ELEMENTS = {
  jsx: { runtime: 'classic', pragma: 'h', pragmaFrag: 'Fragment', development: false },
  jsxInject: "import { Fragment, h } from 'preact'",
} as const;

/**
 * Builds a program of the page.
 * @param elements whether it makes some
 */
async function program(entry: string, elements: boolean): Promise<Built> {
  const page = join(import.meta.dirname, 'page');
  const result = await build({
    configFile: false,
    root: page,
    logLevel: 'error',
    oxc: elements ? ELEMENTS : {},
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      write: false,
      target: 'es2023',
      minify: true,
      cssMinify: true,
      lib: { entry: join(page, entry), formats: ['iife'], name: 'syndrome', fileName: () => 'page.js' },
    },
  });
  const outputs = (Array.isArray(result) ? result : [result]).flatMap(one => ('output' in one ? one.output : []));
  const chunk = outputs.find(output => output.type === 'chunk');
  if (chunk?.type !== 'chunk') throw new Error(`${entry} was not built`);
  const asset = outputs.find(output => output.type === 'asset' && output.fileName.endsWith('.css'));
  return { script: inScript(chunk.code.trim()), style: asset?.type === 'asset' ? String(asset.source).trim() : '' };
}

/** Where each page begins. */
const ENTRIES: Readonly<Record<Which, string>> = { page: 'main.tsx', fleet: 'fleet/main.tsx' };

/** Builds a page. Takes half a second. */
export async function buildTemplate(which: Which): Promise<string> {
  const [{ script, style }, { script: begin }] = await Promise.all([
    program(ENTRIES[which], true),
    program('begin.ts', false),
  ]);
  return documentOf({
    title: 'Syndrome',
    styles: [style],
    scripts: [begin, script],
    images: ['data:', 'blob:'],
    body: `<script>${begin}</script>
<div id="app">${OPENINGS[which].file}</div>
<noscript><p>This page is drawn by the script in it; nothing is loaded from elsewhere. Allow scripts for this file, or use the same command without --html.</p>
<!--STATIC--></noscript>
<!--DATA-->
<script type="application/gzip;base64" id="syndrome">${gzipSync(script, PACKED).toString('base64')}</script>`,
  });
}

import { stripTypeScriptTypes } from 'node:module';

/** An import of the project's own, also one in `new URL()`, that names TypeScript. */
const SPECIFIER = /(['"])((?:\.{1,2}|@syndrome)\/[^'"\n]+)\.ts\1/g;

/**
 * TypeScript as the JavaScript that Node would run: types become blanks, so that lines and columns stay, and its
 * own imports name `.js`. The same source gives the same bytes with the same Node.
 */
export function stripTypes(source: string): string {
  return withoutTypes(source).replace(SPECIFIER, '$1$2.js$1');
}

/** TypeScript with blanks for its types, and for the imports that only these need. */
export function withoutTypes(source: string): string {
  return withoutWarnings(() => stripTypeScriptTypes(source));
}

/** Node says of this function that it may change; the Node here is that of the lock file. */
function withoutWarnings<T>(work: () => T): T {
  const speaker: { emitWarning: unknown } = process;
  const kept = speaker.emitWarning;
  speaker.emitWarning = () => {};
  try {
    return work();
  } finally {
    speaker.emitWarning = kept;
  }
}

import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';

/** A place of a stack: file, line, column, counted from 1. */
const PLACE = /(file:\/\/[^\s()]+\.js):(\d{1,9}):(\d{1,9})/g;

/** The map beside a file that was compiled; undefined where there is none that can be read. */
function mapOf(url: string): SourceMap | undefined {
  try {
    const payload: unknown = JSON.parse(readFileSync(new URL(`${url}.map`), 'utf8'));
    return new SourceMap(payload as ConstructorParameters<typeof SourceMap>[0]);
  } catch {
    return undefined;
  }
}

/**
 * A stack with the places of the sources instead of those of what was compiled or bundled from them, as far as maps lie beside
 * it. Node could do it, and would take the time for it at every start.
 */
export function sourceStack(stack: string): string {
  const maps = new Map<string, SourceMap | undefined>();
  return stack.replace(PLACE, (place: string, url: string, line: string, column: string) => {
    if (!maps.has(url)) maps.set(url, mapOf(url));
    const entry = maps.get(url)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (entry === undefined || !('originalSource' in entry)) return place;
    return `${new URL(entry.originalSource, url).href}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}

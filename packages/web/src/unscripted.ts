/** @module What a page shows where scripts are not allowed. */
import { readMatrix } from './view/matrix-file.ts';
import { matrixHtml } from './view/matrix-html.ts';

/**
 * The table of a matrix as elements for {@link fillTemplate}; undefined where the text is none.
 * @param text of `syndrome matrix --json`
 */
export function unscriptedMatrix(text: string, name: string): string | undefined {
  const read = readMatrix(text, name);
  return 'cells' in read ? matrixHtml([read]) : undefined;
}

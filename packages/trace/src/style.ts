/** Formats a time line uses; a subset of what terminals and `node:util` know. */
type Format = 'reset' | 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'gray';

/** How text looks where it is written: in colour, marked up, or not at all. */
export interface Style {
  (format: Format | Format[], text: string): string;
}

export const plain: Style = (_format, text) => text;

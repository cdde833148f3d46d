import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** Colours for one output stream; plain text where the stream is no terminal, or NO_COLOR is set. */
export interface Style {
  (format: Format, text: string): string;
}

/** Columns to draw on: those of the terminal within reason, 100 where the stream is none. */
export function widthOf(stream: { isTTY?: boolean; columns?: number }): number {
  if (stream.isTTY !== true || stream.columns === undefined) return 100;
  return Math.min(140, Math.max(60, stream.columns));
}

export const plain: Style = (_format, text) => text;

/** The style for a stream: honours NO_COLOR, FORCE_COLOR and terminals without colour. */
export function styleFor(stream: NodeJS.WriteStream, color?: boolean): Style {
  if (color === false) return plain;
  if (color === true) return (format, text) => styleText(format, text, { validateStream: false });
  return (format, text) => styleText(format, text, { stream });
}

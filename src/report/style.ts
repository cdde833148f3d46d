import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** Colours for one output stream; plain text where the stream is no terminal, or NO_COLOR is set. */
export interface Style {
  (format: Format, text: string): string;
}

export const plain: Style = (_format, text) => text;

/** The style for a stream: honours NO_COLOR, FORCE_COLOR and terminals without colour. */
export function styleFor(stream: NodeJS.WriteStream, color?: boolean): Style {
  if (color === false) return plain;
  if (color === true) return (format, text) => styleText(format, text, { validateStream: false });
  return (format, text) => styleText(format, text, { stream });
}

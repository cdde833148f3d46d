/** @module A sentence of the decoder on a page. */
import { safeText } from '@syndrome/decode/common/screen.ts';
import { pieces } from '../view/prose.ts';

/** A sentence, with what is typed or printed in the letters of a terminal. */
export function Prose({ text }: { text: string }) {
  return <>{pieces(safeText(text, 3000)).map(piece => (piece.code ? <code>{piece.text}</code> : piece.text))}</>;
}

/** @module The colours of the page as its style sheet has them now, for what is painted. */
import { COLORS, type Palette } from '../view/palette.ts';

/** The palette of the theme that holds. Custom properties come back as they are written: plain colours. */
export function currentPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(
    COLORS.map(name => [name, style.getPropertyValue(`--${name}`).trim() || '#888']),
  ) as Palette;
}

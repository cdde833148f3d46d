/** @module Which colours were chosen, and that the page has them: known before anything of it is drawn. */

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'syndrome-theme';

/** What was chosen before; a page that came from a file may keep nothing. */
export function chosenTheme(): Theme {
  try {
    return THEMES.find(theme => theme === localStorage.getItem(KEY)) ?? 'auto';
  } catch {
    return 'auto';
  }
}

/** Keeps a choice. Where that is refused, it holds as long as the page is open. */
export function keepTheme(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Nobody is told: the page has the colours.
  }
}

/** Gives the page its colours. */
export function applyTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
}

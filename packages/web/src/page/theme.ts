/** @module Light, dark, or as the system has it. */
import { signal } from '@preact/signals';

const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const KEY = 'syndrome-theme';

/** What was chosen before; a page that came from a file may keep nothing. */
function kept(): Theme {
  try {
    return THEMES.find(theme => theme === localStorage.getItem(KEY)) ?? 'auto';
  } catch {
    return 'auto';
  }
}

export class ThemeModel {
  readonly theme = signal<Theme>(kept());
  /** Counts whenever colours change, also by the system. */
  readonly version = signal(0);

  constructor() {
    this.#apply();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.version.value++);
  }

  next(): Theme {
    const at = THEMES.indexOf(this.theme.value);
    this.theme.value = THEMES[(at + 1) % THEMES.length] ?? 'auto';
    try {
      localStorage.setItem(KEY, this.theme.value);
    } catch {
      // It holds as long as the page is open.
    }
    this.#apply();
    return this.theme.value;
  }

  #apply(): void {
    document.documentElement.dataset['theme'] = this.theme.value;
    this.version.value++;
  }
}

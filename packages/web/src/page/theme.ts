/** @module Light, dark, or as the system has it. */
import { signal } from '@preact/signals';
import { applyTheme, chosenTheme, keepTheme, type Theme, THEMES } from './chosen-theme.ts';

export class ThemeModel {
  readonly theme = signal<Theme>(chosenTheme());
  /** Counts whenever colours change, also by the system. */
  readonly version = signal(0);

  constructor() {
    this.#apply();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.version.value++);
  }

  next(): Theme {
    const at = THEMES.indexOf(this.theme.value);
    this.theme.value = THEMES[(at + 1) % THEMES.length] ?? 'auto';
    keepTheme(this.theme.value);
    this.#apply();
    return this.theme.value;
  }

  #apply(): void {
    applyTheme(this.theme.value);
    this.version.value++;
  }
}

/** @module Where the page begins: what it carries is read and shown. */
import './style.css';
import '@preact/signals';
import { render } from 'preact';
import { App } from './app.tsx';
import { PagesModel } from './pages.ts';
import { carriedFiles } from './read-trace.ts';
import { ThemeModel } from './theme.ts';

/** Shows the pages in their element. */
function start(root: HTMLElement): void {
  const pages = new PagesModel(root.dataset['served'] !== undefined);
  const theme = new ThemeModel();
  const carried = carriedFiles(document);
  const { hash } = location;
  render(<App pages={pages} theme={theme} />, root);
  void pages.start(carried, hash);
}

const root = document.getElementById('app');
if (root) start(root);

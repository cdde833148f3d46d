/** @module Where the page begins: what it carries is read and shown. */
import './style.css';
import '@preact/signals';
import { render } from 'preact';
import { lookOf } from '../view/link.ts';
import { App } from './app.tsx';
import { TraceModel } from './model.ts';
import { carriedFiles } from './read-trace.ts';
import { ThemeModel } from './theme.ts';

/** Shows the page in its element. */
function start(root: HTMLElement): void {
  const model = new TraceModel();
  const theme = new ThemeModel();
  const carried = carriedFiles(document).filter(({ kind }) => kind === 'trace');
  render(<App model={model} theme={theme} />, root);
  if (carried.length > 0) void model.open(carried, false, lookOf(location.hash));
}

const root = document.getElementById('app');
if (root) start(root);

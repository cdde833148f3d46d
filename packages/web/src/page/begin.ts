/**
 * @module The first script of the page. It runs before anything is drawn, and unpacks the other one, which the policy allows by
 * its hash, when all of the file is there.
 */
import { applyTheme, chosenTheme } from './chosen-theme.ts';
import { keepDrops } from './early-drop.ts';

async function unpack(): Promise<string> {
  const packed = atob(document.getElementById('syndrome')?.textContent ?? '');
  const bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return await new Response(stream).text();
}

async function begin(): Promise<void> {
  const script = document.createElement('script');
  script.textContent = await unpack();
  document.body.append(script);
  script.remove();
  handOver();
}

applyTheme(chosenTheme());
const handOver = keepDrops();
addEventListener('DOMContentLoaded', () => void begin());

/** @module The first script of the page: it unpacks the other one, which the policy allows by its hash. */
import { unpacked } from '../view/phrases.ts';

const script = document.createElement('script');
script.textContent = unpacked(document.getElementById('syndrome')?.textContent ?? '');
document.body.append(script);
script.remove();

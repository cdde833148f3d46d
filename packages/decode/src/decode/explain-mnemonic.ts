/** @module The error codes that a mnemonic of MCi_STATUS[15:0] stands for: {@link decodeMcacod} the other way round. */
import { decodeMcacod } from '../mca/mcacod.ts';
import type { McaVendor } from '../mca/record.ts';
import type { CodeExplanation } from './explain-code.ts';

/** Compound and simple codes without the filter bit, which is not part of a mnemonic. */
const CODES = 0x1000;

interface Meaning {
  mnemonic: string;
  code: number;
  text: string;
  vendors: McaVendor[];
}

let meanings: Map<string, Meaning[]> | undefined;

/** Every mnemonic in capitals, with what it says; codes that say the same count once. */
function index(): Map<string, Meaning[]> {
  const all = new Map<string, Meaning[]>();
  for (const vendor of ['intel', 'amd'] as const) {
    for (let code = 0; code < CODES; code++) {
      const { class: cls, mnemonic, text } = decodeMcacod(code, vendor);
      if (cls === 'unknown') continue;
      const same = all.get(mnemonic.toUpperCase()) ?? [];
      const known = same.find(m => m.text === text);
      if (known === undefined) same.push({ mnemonic, code, text, vendors: [vendor] });
      else if (!known.vendors.includes(vendor)) known.vendors.push(vendor);
      all.set(mnemonic.toUpperCase(), same);
    }
  }
  return all;
}

/** What the mnemonic says; several when codes of different forms share it, none when it is no mnemonic. */
export function explainMnemonic(mnemonic: string): CodeExplanation[] {
  meanings ??= index();
  return (meanings.get(mnemonic.toUpperCase()) ?? []).map(({ mnemonic: name, code, text, vendors }) => {
    const only = vendors.length > 1 ? '' : ` Only ${vendors[0] === 'amd' ? 'AMD' : 'Intel'} has it.`;
    return {
      code: name,
      kind: 'error code',
      title: `error code 0x${code.toString(16).padStart(4, '0')}`,
      text: `${text.charAt(0).toUpperCase()}${text.slice(1)}.${only}`,
      source: 'SDM vol. 3B, Simple Error Codes and Compound Error Codes; APM vol. 2, Machine-Check Status Registers',
    };
  });
}

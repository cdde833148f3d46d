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

/** What the mnemonic, in capitals, says; codes that say the same count once. */
function meaningsOf(wanted: string): Meaning[] {
  const found: Meaning[] = [];
  for (const vendor of ['intel', 'amd'] as const) {
    for (let code = 0; code < CODES; code++) {
      const { class: cls, mnemonic, text } = decodeMcacod(code, vendor);
      if (cls === 'unknown' || mnemonic.toUpperCase() !== wanted) continue;
      const known = found.find(m => m.text === text);
      if (known === undefined) found.push({ mnemonic, code, text, vendors: [vendor] });
      else if (!known.vendors.includes(vendor)) known.vendors.push(vendor);
    }
  }
  return found;
}

/** What the mnemonic says; several when codes of different forms share it, none when it is no mnemonic. */
export function explainMnemonic(mnemonic: string): CodeExplanation[] {
  return meaningsOf(mnemonic.toUpperCase()).map(({ mnemonic: name, code, text, vendors }) => {
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

/** @module What an input is, from its first bytes, with the evidence. */
import { SECTION_NAMES, guidFromBytes } from '../cper/guid.ts';
import { LOG_NEEDLES } from '../text/log-reader.ts';
import { values } from '../text/values.ts';
import type { Form } from './form.ts';

export interface Detection {
  form: 'log' | 'value' | 'cper' | 'ghes';
  /** One sentence. */
  evidence: string;
  /** The bytes to decode, for binary forms: the input itself or what its hex or base64 text stands for. */
  binary?: Uint8Array;
}

const MAX_VALUE_BYTES = 4096;

function isGhes(bytes: Uint8Array): boolean {
  if (bytes.length < 20) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) > 0x3fff || view.getUint32(16, true) > 3) return false;
  if (bytes.length < 36) return view.getUint32(12, true) <= 1;
  return Object.hasOwn(SECTION_NAMES, guidFromBytes(bytes, 20));
}

function isCper(bytes: Uint8Array): boolean {
  return bytes[0] === 0x43 && bytes[1] === 0x50 && bytes[2] === 0x45 && bytes[3] === 0x52;
}

/** Bytes of a text that is nothing but hex digits (blanks and `0x` allowed). */
function fromHex(text: string): Uint8Array | undefined {
  const bare = text.replace(/0x|[\s,:]/gi, '');
  if (bare.length < 40 || bare.length % 2 !== 0 || !/^[0-9a-fA-F]+$/.test(bare)) return undefined;
  const out = new Uint8Array(bare.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(bare.slice(2 * i, 2 * i + 2), 16);
  return out;
}

function fromBase64(text: string): Uint8Array | undefined {
  const bare = text.replace(/\s/g, '');
  if (bare.length < 28 || !/^[A-Za-z0-9+/]+={0,2}$/.test(bare)) return undefined;
  try {
    return Uint8Array.from(atob(bare), c => c.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function binaryForm(bytes: Uint8Array): 'cper' | 'ghes' | undefined {
  if (isCper(bytes)) return 'cper';
  return isGhes(bytes) ? 'ghes' : undefined;
}

/** Decides how to read an input whose first bytes these are; `whole` when there are no more. */
export function detect(bytes: Uint8Array, whole: boolean, from: Form): Detection {
  if (from === 'log') return { form: 'log', evidence: 'asked for' };
  if (from === 'value') return { form: 'value', evidence: 'asked for' };
  const direct = binaryForm(bytes);
  if (direct !== undefined && (from === 'auto' || from === direct)) {
    return {
      form: direct,
      evidence: direct === 'cper' ? 'begins with CPER' : 'begins like an error status block',
      binary: bytes,
    };
  }
  const text = new TextDecoder().decode(bytes);
  if (whole && !text.includes('\0')) {
    for (const [name, decoded] of [
      ['hex', fromHex(text)],
      ['base64', fromBase64(text)],
    ] as const) {
      const form = decoded === undefined ? undefined : binaryForm(decoded);
      if (decoded !== undefined && (form !== undefined || from === 'cper' || from === 'ghes')) {
        return {
          form: form ?? (from === 'cper' ? 'cper' : 'ghes'),
          evidence: `${name} text of a firmware record`,
          binary: decoded,
        };
      }
    }
  }
  if (from === 'cper' || from === 'ghes') return { form: from, evidence: 'asked for', binary: bytes };
  if (whole && bytes.length <= MAX_VALUE_BYTES) {
    const lines = text.split('\n').filter(l => l.trim() !== '');
    if (lines.length > 0 && lines.every(l => values(l) !== undefined)) {
      return { form: 'value', evidence: 'every line is a value or a list of values' };
    }
  }
  const word = LOG_NEEDLES.find(n => text.includes(n));
  return {
    form: 'log',
    evidence: word === undefined ? 'read as a log; nothing known in its beginning' : `log: \`${word.trim()}\``,
  };
}

/** @module What an input is, from its first bytes, with the evidence. */
import { looksLikeGhesBlock } from '../cper/region.ts';
import { isCperRecord } from '../cper/uefi-record.ts';
import { LOG_NEEDLES } from '../text/log-reader.ts';
import { looksLikeMceInject } from '../text/mce-inject-reader.ts';
import { VALUE_FORMS, values, whyNoValues } from '../text/values.ts';
import type { Form } from './form.ts';
import { hexDump } from './hex-dump.ts';

export interface Detection {
  form: Exclude<Form, 'auto'>;
  /** One sentence. */
  evidence: string;
  /** The bytes to decode, for binary forms: the input itself or what its hex or base64 text stands for. */
  binary?: Uint8Array;
}

const MAX_VALUE_BYTES = 4096;

/** Bytes of a text that is nothing but hex digits (blanks and `0x` allowed), at least so many of them. */
function fromHex(text: string, least = 40): Uint8Array | undefined {
  const bare = text.replace(/0x|[\s,:]/gi, '');
  if (bare.length < least || bare.length % 2 !== 0 || !/^[0-9a-fA-F]+$/.test(bare)) return undefined;
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
  if (isCperRecord(bytes)) return 'cper';
  return looksLikeGhesBlock(bytes) ? 'ghes' : undefined;
}

/** Formats that hold no record themselves, by their first bytes, and what to do with them. */
const OTHER_FORMATS: readonly (readonly [magic: readonly number[], advice: string])[] = [
  [[0x1f, 0x8b], 'compressed with gzip: unpack it first, as in `zcat FILE | syndrome decode`'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'compressed with xz: unpack it first, as in `xzcat FILE | syndrome decode`'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'compressed with zstd: unpack it first, as in `zstdcat FILE | syndrome decode`'],
  [[0x42, 0x5a, 0x68], 'compressed with bzip2: unpack it first, as in `bzcat FILE | syndrome decode`'],
  [
    [0x4c, 0x50, 0x4b, 0x53, 0x48, 0x48, 0x52, 0x48],
    'a journal of systemd: `journalctl --file FILE | syndrome decode`',
  ],
];
const ACPI_HEADER = 36;

/** What to do with an input of another format; undefined when it is none that is known. */
function otherFormat(bytes: Uint8Array): string | undefined {
  const packed = OTHER_FORMATS.find(([magic]) => magic.every((b, i) => bytes[i] === b));
  if (packed !== undefined) return packed[1];
  const name = String.fromCharCode(...bytes.subarray(0, 4));
  if (bytes.length < ACPI_HEADER || !['BERT', 'HEST', 'ERST', 'EINJ'].includes(name)) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  if (length < ACPI_HEADER || length > 1 << 20) return undefined;
  return name === 'BERT'
    ? 'an ACPI table BERT: it only says where the records are; Linux shows those in /sys/firmware/acpi/tables/data/BERT'
    : `an ACPI table ${name}: it describes how errors are reported and holds no record`;
}

/** What only a log has. */
const LOG_ONLY = [' Machine Check: ', ' Machine Check Exception: ', 'Memory failure: 0x', '(XEN) ', 'Linux version '];
/** journald's export form begins with it. */
const UNDERSCORE = 0x5f;
const latin1 = new TextDecoder('latin1');

/**
 * The first words that only a log has, if a whole line has them: then nothing that follows can make another form of the
 * input, which of `journalctl -kf` may be hours in coming.
 */
export function surelyLog(bytes: Uint8Array): string | undefined {
  const end = bytes.lastIndexOf(0x0a);
  if (end < 0 || bytes[0] === UNDERSCORE || bytes.includes(0)) return undefined;
  const text = latin1.decode(bytes.subarray(0, end));
  let first = Number.POSITIVE_INFINITY;
  let found: string | undefined;
  for (const words of LOG_ONLY) {
    const at = text.indexOf(words);
    if (at >= 0 && at < first) [first, found] = [at, words];
  }
  return found;
}

/** Decides how to read an input whose first bytes these are; `whole` when there are no more, `esr` when values are ESRs. */
export function detect(bytes: Uint8Array, whole: boolean, from: Form, esr = false): Detection {
  if (from === 'log' || from === 'value' || from === 'journal-export' || from === 'mce-inject') {
    return { form: from, evidence: 'asked for' };
  }
  if (from === 'xen-mcelog') {
    const text = whole ? new TextDecoder().decode(bytes) : '';
    return { form: from, evidence: 'asked for', binary: hexDump(text)[0] ?? fromHex(text) ?? bytes };
  }
  const direct = binaryForm(bytes);
  if (direct !== undefined && (from === 'auto' || from === direct)) {
    return {
      form: direct,
      evidence: direct === 'cper' ? 'begins with CPER' : 'begins like an error status block',
      binary: bytes,
    };
  }
  const words = from === 'auto' ? surelyLog(bytes) : undefined;
  if (words !== undefined) return { form: 'log', evidence: `log: \`${words.trim()}\`` };
  const text = new TextDecoder().decode(bytes);
  if (whole && !text.includes('\0')) {
    for (const [name, decoded] of [
      ...hexDump(text).map(dump => ['dump', dump] as const),
      // What is said to be binary may be as short as it likes.
      ['hex', fromHex(text, from === 'cper' || from === 'ghes' ? 2 : 40)],
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
    if (lines.length > 0 && lines.every(l => values(l, { esr }) !== undefined)) {
      return { form: 'value', evidence: 'every line is a value or a list of values' };
    }
  }
  if (text.startsWith('__CURSOR=')) return { form: 'journal-export', evidence: 'begins with __CURSOR=' };
  if (whole && looksLikeMceInject(text)) {
    return { form: 'mce-inject', evidence: 'CPU and STATUS statements of mce-inject' };
  }
  const other = otherFormat(bytes);
  if (other !== undefined) return { form: 'log', evidence: other };
  const word = LOG_NEEDLES.find(n => text.includes(n));
  if (word !== undefined) return { form: 'log', evidence: `log: \`${word.trim()}\`` };
  const line = whole && bytes.length <= MAX_VALUE_BYTES ? text.split('\n').find(l => l.trim() !== '') : undefined;
  const why = line === undefined ? undefined : whyNoValues(line);
  return {
    form: 'log',
    evidence: why === undefined ? 'read as a log; nothing known in its beginning' : `${why}; ${VALUE_FORMS}`,
  };
}

/** @module Tests of a JUnit file, with the traces that they name. It may be of any program: what is not as it must be is left out. */
import { childrenOf, elementsOf, textOf, type XmlElement } from '@syndrome/qemu/xml/element.ts';
import { readXml, XmlError } from '@syndrome/qemu/xml/read.ts';
import type { Verdict } from '@syndrome/trace/expect/verdict.ts';

/** A test of the lab. */
export interface JunitCase {
  /** Its suite, where that is another than the lab's, and its name. */
  test: string;
  /** The file that tells of it. */
  file: string;
  verdict: Verdict;
  message?: string;
  /** The path of its trace where it ran, where it names one. */
  trace?: string;
}

/** Whether a file is of JUnit: its first element says so. */
export const isJunitText = (head: string): boolean =>
  /^\uFEFF?\s*(?:<\?[^>]*>\s*|<!--[^]*?-->\s*)*<testsuites?[\s>]/.test(head);

const VERDICTS: readonly (readonly [element: string, verdict: Verdict])[] = [
  ['failure', 'fail'],
  ['error', 'error'],
  ['skipped', 'skip'],
];

/** As `syndrome run --junit` and others attach files (the Jenkins plugin junit-attachments has begun it). */
const ATTACHMENT = /\[\[ATTACHMENT\|([^\]\n]{1,4096})\]\]/;

function caseOf(element: XmlElement, file: string): JunitCase[] {
  const { name, classname } = element.attributes;
  const trace = ATTACHMENT.exec(textOf(childrenOf(element, 'system-out')[0]) ?? '')?.[1];
  // Tests of other programs have their own reports.
  if (name === undefined || (classname !== 'syndrome' && !trace?.endsWith('.ndjson'))) return [];
  const found = VERDICTS.flatMap(([what, verdict]) => childrenOf(element, what).map(child => ({ child, verdict })))[0];
  const message = found?.child.attributes['message'] ?? textOf(found?.child);
  return [
    {
      test: [classname === 'syndrome' ? '' : (classname ?? ''), name].filter(Boolean).join(' '),
      file,
      verdict: found?.verdict ?? 'pass',
      ...(message === undefined || message === '' ? {} : { message }),
      ...(trace === undefined ? {} : { trace }),
    },
  ];
}

/**
 * The tests of the lab in a JUnit file.
 * @returns undefined for a text that is none, or is cut
 */
export function junitCases(text: string, file: string): JunitCase[] | undefined {
  try {
    const root = readXml(text.replace(/^\uFEFF/, ''));
    return [...elementsOf(root)].filter(({ name }) => name === 'testcase').flatMap(element => caseOf(element, file));
  } catch (error) {
    if (error instanceof XmlError) return undefined;
    throw error;
  }
}

/** @module What a word of the output means: a code, or a term, a register, a field, a mnemonic, a bank, a setting. */
import { EXCEPTION_CLASSES } from '../arm/exception-class.ts';
import { SMCA_BANKS } from '../mca/smca-banks.ts';
import { FIELDS } from '../outlook/context.ts';
import { allCodes, type CodeExplanation, explainCode } from './explain-code.ts';
import { explainField, explainRegister, fieldNames, registerNames } from './explain-field.ts';
import { explainMnemonic } from './explain-mnemonic.ts';
import { TERM_GROUPS } from './terms.ts';

/** First letter large, full stop at the end. */
const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** Terms that stand in tables, in the order of the output. */
const TERMS: readonly CodeExplanation[] = [
  ...TERM_GROUPS.flatMap(({ kind, title, source, terms }) =>
    Object.entries(terms).map(([code, text]) => ({
      code,
      kind,
      title,
      text,
      ...(source === undefined ? {} : { source }),
    })),
  ),
  ...SMCA_BANKS.map(bank => ({
    code: bank.id,
    kind: 'bank',
    title: 'type of an AMD bank',
    text: `${sentence(bank.name)} Part of the machine: ${bank.area}.`,
    source: 'PPR, MCA_IPID',
  })),
  ...EXCEPTION_CLASSES.map(ec => ({
    code: ec.name,
    kind: 'exception class',
    title: `exception class 0x${ec.value.toString(16)}`,
    text: sentence(ec.text),
    source: 'DDI 0487 D24.2.40, ESR_EL1',
  })),
  ...Object.entries(FIELDS).map(([code, field]) => ({
    code,
    kind: 'setting',
    title: 'setting of an outlook',
    text: `${sentence(field.text)} Give it to \`syndrome predict\` with --set ${code}=….`,
  })),
];

/** All meanings of a word; an exact spelling is preferred to one that differs in case. Empty when it has none. */
export function explainTerm(word: string): CodeExplanation[] {
  const code = explainCode(word) ?? explainCode(word.toUpperCase());
  if (code !== undefined) return [code];
  const same = TERMS.filter(t => t.code.toLowerCase() === word.toLowerCase());
  const fields = explainField(word);
  const all = [...same, ...explainRegister(word), ...fields, ...explainMnemonic(word)];
  const exact = all.filter(t => t.code === word);
  return exact.length > 0 ? exact : all;
}

/** Everything with one entry of its own, in the order of the rooms: codes, terms, registers, fields. Mnemonics are found, not listed. */
export function allExplanations(): CodeExplanation[] {
  const codes = allCodes().flatMap(code => explainCode(code) ?? []);
  return [...codes, ...TERMS, ...registerNames().flatMap(explainRegister), ...fieldNames().flatMap(explainField)];
}

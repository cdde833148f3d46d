/** @module What an argument or the value of an option may be, beyond what its own row of the option table says. */
import type { Command, Option } from 'commander';
import { NAMED_ESR } from '@syndrome/decode/arm/encode.ts';
import { CPER_SEVERITIES } from '@syndrome/decode/cper/ghes.ts';
import { SECTIONS } from '@syndrome/decode/cper/sections.ts';
import { NAMED_MCA } from '@syndrome/decode/mca/named.ts';
import { SMCA_BANKS } from '@syndrome/decode/mca/smca-banks.ts';
import { settings } from '@syndrome/decode/outlook/settings.ts';
import { scenarioNames } from '@syndrome/lab/scenario/load.ts';
import { scenarioWords } from '@syndrome/lab/scenario/words.ts';
import { everyExplanation } from './explain.ts';
import { partNames } from './supply.ts';

/** `running=user`; `version=` where the values are not counted. */
const settingWords = (): string[] =>
  settings().flatMap(({ name, values }) => (values.length === 0 ? [`${name}=`] : values.map(v => `${name}=${v}`)));

const machineChecks = (): string[] => NAMED_MCA.map(n => n.name);
const records = (): string[] => [...machineChecks(), ...NAMED_ESR.map(n => n.name)];
const newest = (): string[] => ['newest'];

/** By the long flag, or by command and flag where two commands mean different things. */
const OF_OPTION: Readonly<Record<string, () => readonly string[]>> = {
  '--set': settingWords,
  '--section': () => SECTIONS.map(s => s.kind),
  '--severity': () => CPER_SEVERITIES,
  '--ipid': () => SMCA_BANKS.map(b => b.id),
  '--kernels': () => ['amd64', 'arm64'],
  '--kernel': newest,
  '--guest-kernel': newest,
  '--host-kernel': newest,
  '--qemu': newest,
  '--host-qemu': newest,
  'scenarios --explain': () => [...scenarioNames(), ...scenarioWords()],
  'decode --explain': () => ['list', ...everyExplanation().map(e => e.code)],
};

/** By command. */
const OF_ARGUMENT: Readonly<Record<string, () => readonly string[]>> = {
  predict: records,
  encode: () => [...records(), 'sea', 'serror', 'esr', ...SECTIONS.map(s => s.kind)],
  inject: () => [...machineChecks(), 'mce', 'ghes'],
  fetch: partNames,
  where: () => [...partNames(), 'states'],
};

/** Words that a shell takes as they are. */
const plain = (words: readonly string[]): string[] => [...new Set(words)].filter(word => /^[\w.=,+-]+$/.test(word));

/** Values of an option; empty where they are not counted. */
export function optionWords(command: Command, { long, argChoices }: Option): string[] {
  const of = OF_OPTION[`${command.name()} ${long}`] ?? OF_OPTION[long ?? ''];
  return argChoices ?? plain(of?.() ?? []);
}

/** What the arguments of a command may be, besides paths. */
export function argumentWords(command: Command): string[] {
  const args = command.registeredArguments;
  return plain([
    ...args.flatMap(argument => argument.argChoices ?? []),
    ...(args.some(argument => argument.name() === 'scenario') ? scenarioNames() : []),
    ...(OF_ARGUMENT[command.name()]?.() ?? []),
  ]);
}

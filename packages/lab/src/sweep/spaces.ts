/** @module Spaces by name: those that come with the program, and files. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readInput } from '@syndrome/base/disk/input-file.ts';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { didYouMean } from '@syndrome/decode/common/nearest.ts';
import { parseTemplate, SCENARIO_DIR, type Template } from '../scenario/load.ts';

const FOLDER = join(SCENARIO_DIR, 'spaces');
const MAX_BYTES = 256 << 10;

/** A space, and what it is known by: whatever its points mean is in it. */
export interface SweepSpace extends Template {
  /** 32 hex digits of a SHA-256 of its text. */
  digest: string;
}

/** The names of the spaces that come with the program. */
export function spaceNames(): string[] {
  return readdirSync(FOLDER)
    .filter(file => file.endsWith('.yaml'))
    .toSorted()
    .map(file => basename(file, '.yaml'));
}

/** A space by its name, or by the path of a file. @throws UsageError E_SPACE_UNKNOWN, E_SPACE_READ; ScenarioError */
export function findSpace(nameOrFile: string): SweepSpace {
  const isFile = /\.ya?ml$/.test(nameOrFile) || nameOrFile.includes('/');
  const names = spaceNames();
  if (!isFile && !names.includes(nameOrFile)) {
    throw new UsageError('E_SPACE_UNKNOWN', `there is no space "${nameOrFile}"`, {
      hint: didYouMean(nameOrFile, names),
    });
  }
  const file = isFile ? nameOrFile : join(FOLDER, `${nameOrFile}.yaml`);
  let text: string;
  try {
    text = readInput(file, MAX_BYTES).toString('utf8');
  } catch (cause) {
    throw new UsageError('E_SPACE_READ', `the space ${file} cannot be read`, { cause });
  }
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 32);
  return { ...parseTemplate(text, file), digest };
}

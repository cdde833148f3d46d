import { UsageError } from '@syndrome/decode/common/errors.ts';
import { sectionOfKind } from '@syndrome/decode/cper/sections.ts';
import { encodeArm, listArm } from './encode-arm.ts';
import { encodeSectionOf, listSections } from './encode-cper.ts';
import { encodeJson } from './encode-json.ts';
import { encodeMca, listMca } from './encode-mca.ts';
import type { EncodeOptions } from './encode-options.ts';
import { checkOut } from './encode-output.ts';
import { print } from './output.ts';

function list(): void {
  print('machine checks:');
  listMca();
  print('arm64 syndromes, and sea, serror or esr with words:');
  listArm();
  print('firmware sections, with NAME=VALUE members:');
  listSections();
}

/** Builds a record and prints its register values, the QEMU command, or its bytes. */
export async function encode(words: readonly string[], options: EncodeOptions): Promise<void> {
  const first = words[0];
  if (options.out !== undefined) await checkOut(options.out);
  if (options.fromJson !== undefined) {
    if (first !== undefined) throw new UsageError('E_USAGE', `${first}: --from-json takes no words`);
    await encodeJson(options.fromJson, options);
  } else if (options.list || first === undefined) list();
  else if (sectionOfKind(first) !== undefined) await encodeSectionOf(first, words.slice(1), options);
  else if (!encodeArm(words, options)) encodeMca(words, options);
}

/** @module The machine check banks that a section of any kind carries. */
import type { X86McaRecord } from '../mca/record.ts';
import { mcaOfLinuxMce } from './linux-mce.ts';
import type { CperBody } from './record.ts';
import { mcaBanksOf } from './x86-mca.ts';
import { banksOfXpf } from './xpf-mca.ts';

/** Empty for a section that carries none. */
export function banksOfSection(body: CperBody): X86McaRecord[] {
  switch (body.kind) {
    case 'x86-processor':
      return mcaBanksOf(body);
    case 'linux-mce':
      return [mcaOfLinuxMce(body)];
    case 'xpf-mca':
      return banksOfXpf(body);
    default:
      return [];
  }
}

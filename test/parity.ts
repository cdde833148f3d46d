/** The story of a VM that loses three pages, as its ledger tells it, without what differs from run to run. */
import type { LedgerFacts } from '@syndrome/cli/drill/ledger.ts';
import type { Notice } from '@syndrome/supervisor/core/notice.ts';
import { proofSays } from '@syndrome/supervisor/core/proof.ts';

/** What is compared, and what one architecture has. */
export type Story = Record<string, string>;

/** @param name of the VM, for which `web` stands */
export function storyOf(facts: LedgerFacts, name: string): Story {
  const plain = (text: string | undefined): string =>
    (text ?? 'nothing').replaceAll(name, 'web').replaceAll(/0x[0-9a-f]+/g, '0x…');
  const first = (type: string): Notice | undefined => {
    // The injector of the drill and QEMU are heard in either order: where the page is not known yet, that is said.
    const all = facts.notices.filter(n => n.type === type);
    return all.find(n => n.lost?.gpa !== undefined) ?? all[0];
  };
  const told = (type: string): string => plain(first(type)?.summary);
  const decided = (rule: string): string => plain(facts.decisions.find(d => d.rule === rule)?.why);
  const pages = facts.incidents.filter(i => i.cause === 'page');
  const witnesses = pages.map(i => [...i.witnesses.keys()].toSorted().join(', '));
  const [proof] = facts.proofs;
  return {
    'incidents, one for each page': String(pages.length),
    'witnesses of them': [...new Set(witnesses)].join('; '),
    'frame and guest address known': String(facts.pages.filter(p => p.pfn !== undefined && p.gpa !== undefined).length),
    'decided at the first': decided('vm-error'),
    'the customer is told': told('vm.memory.poisoned'),
    'how grave that is': first('vm.memory.poisoned')?.severity ?? '',
    'pages taken out of the guest': String(facts.pages.filter(p => p.pfn !== undefined && p.quarantined).length),
    'decided at the third': decided('third-error'),
    'the host': told('host.draining'),
    'told before the act': told('vm.restart.planned'),
    'the stop is proven by': proof === undefined ? 'nothing' : `${proof.kind}: ${proofSays(proof.kind)}`,
    'of host and epoch': proof === undefined ? '' : `${proof.host}, ${proof.epoch}`,
    'runs on, in epoch': facts.running.map(r => `${r.host}, ${r.epoch}`).join(' → '),
    'told at the end': told('vm.restarted'),
    'the ledger, replayed': facts.replay === 'same' ? 'gives the same decisions' : 'gives other decisions',
  };
}

export const storyText = (story: Story): string => `${JSON.stringify(story, null, 2)}\n`;

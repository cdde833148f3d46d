import { nearest } from '@syndrome/decode/common/nearest.ts';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { playbookNames, playbookText } from '@syndrome/supervisor/notify/playbooks.ts';
import { type GlobalOptions, print, printJson, printLines } from './output.ts';

/** Prints a playbook, or which ones there are. @throws UsageError E_FLEET_PLAYBOOK */
export function playbook(name: string | undefined, { json }: GlobalOptions & { json?: boolean }): void {
  if (name === undefined) {
    if (json === true) return printJson({ schemaVersion: 1, playbooks: playbookNames() });
    for (const known of playbookNames()) print(known);
    return;
  }
  const text = playbookText(name);
  if (text === undefined) {
    const near = nearest(name, playbookNames());
    throw new UsageError('E_FLEET_PLAYBOOK', `there is no playbook ${safeText(name, 60)}`, {
      hint: near === undefined ? `There are ${playbookNames().join(', ')}.` : `Did you mean ${near}?`,
    });
  }
  if (json === true) return printJson({ schemaVersion: 1, name: name.replace(/\.md$/, ''), text });
  printLines(text);
}

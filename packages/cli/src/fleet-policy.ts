import { readInput } from '@syndrome/base/disk/input-file.ts';
import { messageOf, UsageError } from '@syndrome/decode/common/errors.ts';
import { policyId } from '@syndrome/supervisor/core/step.ts';
import { checkPolicy, parsePolicy } from '@syndrome/supervisor/policy/check.ts';
import { explainPolicy } from '@syndrome/supervisor/policy/explain.ts';
import { SHIPPED, shippedText } from '@syndrome/supervisor/policy/shipped.ts';
import { EXIT } from './exit-codes.ts';
import { type GlobalOptions, print, printJson, printLines } from './output.ts';

interface Options extends GlobalOptions {
  json?: boolean;
}

const shipped = (name: string): (typeof SHIPPED)[number] | undefined => SHIPPED.find(known => known === name);

const MAX_POLICY = 256 * 1024;

/** The text of a policy: a shipped one, or a file. @throws UsageError E_POLICY_FILE */
export function policyText(name: string): string {
  const known = shipped(name);
  if (known !== undefined) return shippedText(known);
  try {
    return readInput(name, MAX_POLICY).toString();
  } catch (cause) {
    throw new UsageError('E_POLICY_FILE', `cannot read ${name}: ${messageOf(cause)}`, {
      cause,
      hint: `Shipped are ${SHIPPED.join(', ')}.`,
    });
  }
}

/** Every fault of a policy with its line; exit code 2 where there is one. */
export function check(name: string, options: Options): void {
  const checked = checkPolicy(policyText(name));
  const faults = 'faults' in checked ? checked.faults : [];
  if (faults.length > 0) process.exitCode = EXIT.usage;
  if (options.json === true) return printJson({ schemaVersion: 1, file: name, ok: faults.length === 0, faults });
  if ('policy' in checked)
    return print(
      `${name} is a policy: ${checked.policy.name}@${checked.policy.version}, mode ${checked.policy.mode}, ${checked.policy.rules.length} rules`,
    );
  for (const { line, column, message, hint } of faults)
    print(`${name}:${line}:${column}: ${message}${hint === undefined ? '' : ` (${hint})`}`);
}

/** What a policy does, in sentences; for a machine the policy itself too, under the id that decisions name it by. */
export function explain(name: string, options: Options): void {
  const policy = parsePolicy(policyText(name), name);
  const text = explainPolicy(policy);
  if (options.json === true) return printJson({ schemaVersion: 1, id: policyId(policy), policy, text });
  printLines(text);
}

export function show(name: string, options: Options): void {
  const known = shipped(name);
  if (known === undefined)
    throw new UsageError('E_POLICY_FILE', `no policy ${name} is shipped`, {
      hint: `Shipped are ${SHIPPED.join(', ')}.`,
    });
  const text = shippedText(known);
  if (options.json === true) return printJson({ schemaVersion: 1, name: known, text });
  printLines(text);
}

import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { type Replayed, replay } from '@syndrome/supervisor/controller/replay.ts';
import type { Effect, Order } from '@syndrome/supervisor/core/input.ts';
import { parsePolicy } from '@syndrome/supervisor/policy/check.ts';
import { ask } from '@syndrome/supervisor/site/ask.ts';
import { readPlaces } from '@syndrome/supervisor/site/site-file.ts';
import type { Question } from '@syndrome/supervisor/wire/admin.ts';
import { EXIT } from './exit-codes.ts';
import { policyText } from './fleet-policy.ts';
import { effectLines, explainLines, listLines } from './fleet-text.ts';
import { openLedger, placeNamed } from './open-ledger.ts';
import { type GlobalOptions, print, printJson, printLines, stdoutStyle } from './output.ts';

interface Options extends GlobalOptions {
  config: string;
  shard?: string;
  json?: boolean;
  dryRun?: boolean;
}

const put = (options: Options, question: Question): Promise<unknown> =>
  ask(readPlaces(options.config, options.shard).sockets.admin, question);

/** Who orders: the name that the system has for the user, else the number. */
function me(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}

export async function list(name: string, options: Options): Promise<void> {
  const result = await put(options, { ask: 'list', list: name } as Question);
  if (options.json === true) return printJson({ schemaVersion: 1, [name]: result });
  for (const line of listLines(name, result, stdoutStyle(options))) print(line);
}

export async function explain(id: string, options: Options): Promise<void> {
  const result = await put(options, { ask: 'explain', id });
  if (options.json === true) return printJson({ schemaVersion: 1, ...(result as object) });
  for (const line of explainLines(result, stdoutStyle(options))) print(line);
}

/** What an order leads to, or would lead to. Exit code 1 where the controller refuses it. */
async function decided(options: Options, question: Question): Promise<void> {
  const effects = (await put(options, question)) as Effect[];
  if (effects.some(e => e.effect === 'decision' && e.decision.inputs['refused'] === true)) process.exitCode = EXIT.fail;
  if (options.json === true) return printJson({ schemaVersion: 1, dryRun: options.dryRun === true, effects });
  if (options.dryRun === true) print('nothing is changed; this would be decided:');
  for (const line of effectLines(effects, stdoutStyle(options))) print(line);
}

export async function order(given: object, options: Options): Promise<void> {
  const dry = options.dryRun === true ? { dryRun: true } : {};
  await decided(options, { ask: 'order', by: me(), order: given as Order, ...dry });
}

export async function setPolicy(name: string, options: Options): Promise<void> {
  const dry = options.dryRun === true ? { dryRun: true } : {};
  const policy = policyText(name);
  // With its faults in the words of `policy check`, also while no controller is here.
  parsePolicy(policy, name);
  await decided(options, { ask: 'policy', by: me(), policy, file: name, ...dry });
}

/** Exit code 1 where something else is decided than was. */
export async function replayLedger(options: Partial<Options> & { ledger?: string }): Promise<void> {
  const { config, ledger, json } = options;
  if ((config === undefined) === (ledger === undefined))
    throw new UsageError('E_FLEET_REPLAY', 'name a ledger, or the site of a controller that runs', {
      hint: 'syndrome fleet replay --ledger FILE (or postgresql://…), or --config FILE',
    });
  const result =
    config === undefined
      ? await replayFile(ledger ?? '')
      : ((await put({ ...options, config }, { ask: 'replay' })) as Replayed);
  if (result.differs !== undefined) process.exitCode = EXIT.fail;
  if (json === true) return printJson({ schemaVersion: 1, same: result.differs === undefined, ...result });
  const { inputs, decisions, hash, compared, differs } = result;
  print(`${inputs} inputs, ${decisions} decisions, hash ${hash}; compared with ${compared} notes of the ledger`);
  print(
    differs === undefined
      ? 'the same was decided'
      : `NOT the same: from input ${differs.seq} on the ledger says ${differs.noted}, now it is ${differs.now}`,
  );
}

async function replayFile(ledger: string): Promise<Replayed> {
  const store = await openLedger(placeNamed(ledger), 'E_FLEET_REPLAY');
  try {
    return await replay(store.query);
  } finally {
    await store.close();
  }
}

export async function backup(file: string, options: Options): Promise<void> {
  const result = await put(options, { ask: 'backup', path: resolve(file) });
  if (options.json === true) return printJson({ schemaVersion: 1, ...(result as object) });
  printLines(`the ledger is copied to ${resolve(file)}; \`syndrome fleet replay --ledger\` reads it`);
}

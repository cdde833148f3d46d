import { NAMED_ESR, namedEsr } from '@syndrome/decode/arm/encode.ts';
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { parseU64 } from '@syndrome/decode/common/hex.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { DecodedRecord } from '@syndrome/decode/decode/record.ts';
import { wrap } from '@syndrome/decode/decode/wrap.ts';
import { SOME_ADDRESS, mceInjection } from '@syndrome/decode/inject/mce.ts';
import { recordOf } from '@syndrome/decode/inject/ways.ts';
import { NAMED_MCA, namedMca } from '@syndrome/decode/mca/named.ts';
import { MCI_STATUS_INTEL } from '@syndrome/decode/mca/registers.ts';
import type { OutlookContext } from '@syndrome/decode/outlook/context.ts';
import { explainPrediction } from '@syndrome/decode/outlook/explain-prediction.ts';
import { firstConsumer, predictAll, predictChain } from '@syndrome/decode/outlook/predict.ts';
import type { Prediction } from '@syndrome/decode/outlook/prediction.ts';
import type { OutlookRecord } from '@syndrome/decode/outlook/record.ts';
import { mceCommand } from '@syndrome/decode/text/values/values.ts';
import { type ContextOptions, contextOf } from './context-options.ts';
import { readCode } from './exit-codes.ts';
import { type GlobalOptions, print, printJson, say, stdoutStyle } from './output.ts';
import { type InputOptions, eachRecord, vendorOf } from './record-inputs.ts';

interface PredictOptions extends GlobalOptions, InputOptions, ContextOptions {
  chain?: boolean;
  addr?: string;
  json?: boolean;
}

/** Columns of a terminal, as everywhere; what a kernel prints may be longer. */
const TEXT_WIDTH = 100;
/** What is found of a record that is injected by its name; undefined for other words. */
function named(word: string, options: PredictOptions): OutlookRecord | undefined {
  const esr = namedEsr(word);
  if (esr !== undefined) return { kind: 'arm-sea', esr: esr.esr, el: esr.el };
  const mca = namedMca(word);
  if (mca === undefined) return undefined;
  const addr = options.addr === undefined ? SOME_ADDRESS : parseU64(options.addr);
  if (addr === undefined) throw new UsageError('E_USAGE', `--addr ${options.addr} is not a 64-bit value`);
  const record = recordOf(mceInjection({ named: mca, addr }));
  if (record?.kind !== 'x86-mca') return record;
  // Nobody says which CPU gets it: what a kernel prints names none.
  const { cpu: _, ...registers } = record;
  return { ...registers, vendor: vendorOf(options.vendor) ?? mca.vendor };
}

/** The record of a decoded one that an outlook can be made for. */
function predictable(record: DecodedRecord): OutlookRecord | undefined {
  const { raw } = record;
  if (raw.kind !== 'event') return raw;
  const { code, gpa } = raw.fields;
  if (raw.name !== 'qemu-sigbus-injected' || (code !== 'BUS_MCEERR_AO' && code !== 'BUS_MCEERR_AR')) return undefined;
  return { kind: 'sigbus', code, ...(typeof gpa === 'bigint' ? { gpa } : {}) };
}

function vendorContext(record: OutlookRecord, known: Partial<OutlookContext>): Partial<OutlookContext> {
  return record.kind === 'x86-mca' && record.vendor !== undefined && known.vendor === undefined
    ? { ...known, vendor: record.vendor }
    : known;
}

/** The vendors that were assumed, in words; empty for none. */
function vendorTaken(predictions: readonly Prediction[]): string {
  const taken = predictions.flatMap(p => p.assumptions.filter(a => a.setting === 'vendor').map(a => String(a.value)));
  // Of an arm64 record there is nothing to give.
  return [...new Set(taken)].filter(vendor => vendor !== 'arm').join(', ');
}

/** What QEMU's command `mce` does with an uncorrected record: a kernel in the machine gets #MC. */
function monitorDelivery(
  record: OutlookRecord,
  { consumer = 'linux' }: Partial<OutlookContext>,
): Partial<OutlookContext> {
  if (consumer !== 'linux' && consumer !== 'xen') return {};
  return record.kind === 'x86-mca' && MCI_STATUS_INTEL.decode(record.status).UC ? { delivery: 'exception' } : {};
}

/** The lines of a record whose input names no bank name none either. */
function withoutBank(prediction: Prediction): Prediction {
  return { ...prediction, messages: prediction.messages.map(m => m.replace(/\bBank 0\b/, 'Bank <bank>')) };
}

/** Says what the consumers of each record will do. */
export async function predict(words: readonly string[], options: PredictOptions): Promise<void> {
  const given = contextOf(options);
  // QEMU's command says itself whether all CPUs get it, and brings what is uncorrected by #MC, whatever it is.
  const command = mceCommand(words.join(' '));
  const fromCommand = command !== undefined;
  const known = fromCommand ? { broadcast: command.broadcast === true, ...given } : given;
  const style = stdoutStyle(options);
  const names = words.map(w => named(w, options));
  let found = 0;

  function show(record: OutlookRecord, headline: string, monitor = fromCommand, bankKnown = true): void {
    const context = vendorContext(record, known);
    const made: Prediction[] =
      options.chain === true
        ? predictChain(record, { consumer: firstConsumer(record), ...context })
        : predictAll(record, { ...(monitor ? monitorDelivery(record, context) : {}), ...context });
    const predictions = bankKnown ? made : made.map(withoutBank);
    if (options.json) {
      printJson({ schemaVersion: 1, record, predictions });
    } else {
      if (found > 0) print('');
      for (const line of wrap(safeText(headline, 500))) print(style('bold', line));
      const taken = vendorTaken(predictions);
      if (taken !== '') {
        print(`  The CPU’s vendor is not given: the rules of ${taken} are taken (--vendor intel, amd).`);
      }
      for (const prediction of predictions) {
        print('');
        explainPrediction(prediction, { width: TEXT_WIDTH - 2 }).forEach((line, i) => {
          const text = `  ${safeText(line, 1000)}`;
          print(i === 0 ? style('bold', text) : text);
        });
      }
    }
    found++;
  }

  if (words.length > 0 && names.every(n => n !== undefined)) {
    names.forEach((record, i) => {
      if (record !== undefined) show(record, words[i] ?? '');
    });
    return;
  }
  const result = await eachRecord(words, options, decoded => {
    const record = predictable(decoded);
    if (record === undefined) return false;
    const bankKnown = record.kind !== 'x86-mca' || decoded.bank !== undefined;
    show(record, decoded.headline, fromCommand || decoded.source.from === 'qemu', bankKnown);
    return true;
  });
  if (found === 0) {
    const why = result.inputs === 1 ? ` (${result.evidence})` : '';
    say(`no record to predict from${why}; names: ${[...NAMED_MCA, ...NAMED_ESR].map(n => n.name).join(', ')}`);
  }
  process.exitCode = readCode(result);
}

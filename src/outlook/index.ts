/** @module What Linux, Xen, QEMU and KVM will do with a memory error record, and by which rule. */
export { RULES, ruleById } from './catalog.ts';
export { FIELDS, SETTINGS } from './context.ts';
export type { Consumer, Delivery, Field, OutlookContext, Running, Settings } from './context.ts';
export { explainPrediction, headline, settingText } from './explain-prediction.ts';
export type { ExplainOptions } from './explain-prediction.ts';
export type { Assumption } from './facts.ts';
export { firstConsumer, predict, predictAll, predictChain } from './predict.ts';
export type { ChainOptions, LayerSettings, PredictOptions } from './predict.ts';
export { OUTLOOK_OUTCOMES } from './prediction.ts';
export type {
  Alternative,
  Handover,
  OutlookEvent,
  OutlookLayer,
  OutlookOutcome,
  Prediction,
  SignalCode,
  Step,
} from './prediction.ts';
export type { OutlookRecord, SigbusSignal } from './record.ts';
export type { Evidence, Rule } from './rule.ts';
export { compareVersions, parseVersion, versionIn, versionSince } from './version.ts';
export type { Version, VersionRange } from './version.ts';

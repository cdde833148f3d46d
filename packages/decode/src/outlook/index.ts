/** @module What Linux, Xen, QEMU and KVM will do with a memory error record, and by which rule. */
export { RULES, ruleById } from './catalog.ts';
export { FIELDS, SETTINGS } from './context.ts';
export type { Consumer, Delivery, Field, OutlookContext, Running, Settings } from './context.ts';
export { GUESTS, dangerText, dangersOf, isDangerous } from './danger.ts';
export type { Danger, Guest, Target } from './danger.ts';
export { explore, worse } from './explore.ts';
export type { End, Exploration, Journey } from './explore.ts';
export { explainPrediction, headline, settingText } from './explain-prediction.ts';
export type { ExplainOptions } from './explain-prediction.ts';
export type { Assumption } from './facts.ts';
export { firstConsumer, predict, predictAll, predictChain } from './predict.ts';
export type { ChainOptions, LayerSettings, PredictOptions } from './predict.ts';
export { OUTCOMES, OUTLOOK_OUTCOMES } from './prediction.ts';
export type {
  Alternative,
  Handover,
  Outcome,
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

/** @module The front door of decoding: any input in, decoded records out. */
export { createDecoder, decode } from './decoder.ts';
export type { Decoder, DecoderOptions } from './decoder.ts';
export { FORMS } from './form.ts';
export type { Form } from './form.ts';
export type { Detection } from './detect.ts';
export { DECODED_SCHEMA_VERSION, toData } from './record.ts';
export type {
  DecodedAddress,
  DecodedCode,
  DecodedComponent,
  DecodedField,
  DecodedKind,
  DecodedOutlook,
  DecodedRecord,
  DecodedSeverity,
  DecodedSource,
  Diagnostic,
  Finding,
  InputForm,
  RawRecord,
} from './record.ts';

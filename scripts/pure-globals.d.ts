/**
 * What the pure rooms may use of a browser beyond the language itself (see tsconfig.pure.json). Nothing of Node is here on
 * purpose: Buffer, process, timers and the console are type errors in them.
 */
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(input?: ArrayBufferView | ArrayBuffer, options?: { stream?: boolean }): string;
}
declare class TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
}
declare class URLSearchParams {
  constructor(init?: string);
  get(name: string): string | null;
  getAll(name: string): string[];
  append(name: string, value: string): void;
  set(name: string, value: string): void;
  toString(): string;
}
declare function atob(base64: string): string;
declare function btoa(binary: string): string;

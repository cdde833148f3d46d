/** @module Where a source was in what it reads, so that the next start of the agent goes on there. */
import { readFileSync } from 'node:fs';
import { writeWhole } from '@syndrome/base/disk/write-whole.ts';
import { parseObject } from '@syndrome/decode/common/json.ts';

/** More than one agent has sources. */
const MAX_POSITIONS = 4096;

/**
 * Positions by name. What is set is kept in memory; `save` is for the agent, when the rows read up to there are durable: a
 * position that is too old only makes rows come twice.
 */
export class Positions {
  readonly #path: string | undefined;
  readonly #values = new Map<string, string>();
  #dirty = false;

  /** @param path a file of the agent's folder; none: nothing is kept. One that is damaged counts as none. */
  constructor(path?: string) {
    this.#path = path;
    if (path === undefined) return;
    let text = '';
    try {
      text = readFileSync(path, 'utf8');
    } catch {
      // The first start.
    }
    for (const [name, value] of Object.entries(parseObject(text) ?? {}))
      if (typeof value === 'string') this.#values.set(name, value);
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  set(name: string, value: string): void {
    if (this.#values.get(name) === value) return;
    if (!this.#values.has(name) && this.#values.size >= MAX_POSITIONS)
      this.#values.delete(this.#values.keys().next().value as string);
    this.#values.set(name, value);
    this.#dirty = true;
  }

  /** What is to be written once everything that was read before now is durable; undefined where nothing changed. */
  take(): string | undefined {
    if (!this.#dirty || this.#path === undefined) return undefined;
    this.#dirty = false;
    return JSON.stringify(Object.fromEntries(this.#values));
  }

  /** Writes what `take` gave. */
  save(text: string): void {
    if (this.#path !== undefined) writeWhole(this.#path, text);
  }
}

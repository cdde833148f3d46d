/** @module Calls over one connection that wait for their answers, each with a deadline of its own. */

/** A call that was taken out: whoever has it answers it, once. */
interface TakenCall<Call, Answer> {
  call: Call;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** By what a peer repeats in its answer. Answers may come in any order, late, or never. */
export class PendingCalls<Key, Call, Answer> {
  readonly #waiting = new Map<Key, TakenCall<Call, Answer> & { timer: NodeJS.Timeout }>();

  /**
   * Waits for an answer.
   * @param late takes the call when `deadlineMs` are over: gives its error, and may let go of what else is known of it
   * @returns the answer; rejects with what `late`, or whoever takes the call out, says
   */
  add(key: Key, call: Call, deadlineMs: number, late: () => Error): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        if (this.#waiting.delete(key)) reject(late());
      }, deadlineMs);
      this.#waiting.set(key, { call, resolve, reject, timer });
    });
  }

  /** What is known of a call that waits. */
  get(key: Key): Call | undefined {
    return this.#waiting.get(key)?.call;
  }

  /** Takes a call out to answer it; undefined where none waits: its deadline was over, or nobody asked. */
  take(key: Key): TakenCall<Call, Answer> | undefined {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(key);
    clearTimeout(waiting.timer);
    return waiting;
  }

  /** No answer comes any more: each call, the oldest first, is rejected with its error. */
  end(errorOf: (call: Call, key: Key) => Error): void {
    for (const [key, { call }] of this.#waiting) this.take(key)?.reject(errorOf(call, key));
  }
}

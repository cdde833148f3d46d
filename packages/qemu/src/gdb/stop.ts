/** Stop replies (GDB manual, appendix E, "Stop Reply Packets"). */

/** Why the machine stands still, as the stub tells it. */
export type StopReason =
  /** `T`/`S`: signal 2 after an interrupt or a QMP `stop`, 5 after a breakpoint or a step. */
  | { kind: 'signal'; signal: number; thread: string | undefined; raw: string }
  /** `W`/`X`: QEMU ends, or the machine was shut down. */
  | { kind: 'exited'; status: number; raw: string };

/** Reads a stop reply; undefined when the payload is none. */
export function parseStop(payload: string): StopReason | undefined {
  const match = /^([TSWX])([0-9a-fA-F]{2})(?:;?(.{0,4096}))$/s.exec(payload);
  if (match === null) return undefined;
  const [, letter, digits, rest] = match as unknown as [string, string, string, string];
  const number = Number.parseInt(digits, 16);
  const raw = payload.slice(0, 256);
  if (letter === 'W' || letter === 'X') return { kind: 'exited', status: number, raw };
  const thread = /(?:^|;)thread:([^;]{1,64})/.exec(rest)?.[1];
  return { kind: 'signal', signal: number, thread: isThreadId(thread) ? thread : undefined, raw };
}

/** `TID` or `pPID.TID`, in hex. */
export function isThreadId(text: string | undefined): text is string {
  return text !== undefined && /^(p[0-9a-fA-F]{1,8}\.)?[0-9a-fA-F]{1,16}$/.test(text);
}

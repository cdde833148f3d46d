/** The five shapes a QMP server may send (docs/interop/qmp-spec.rst, 2.2 to 2.5), told apart without trusting any of them. */
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { parseJson } from './json.ts';

/** What the server says of itself on connecting. */
export type Greeting = {
  version: { major: number; minor: number; micro: number };
  /** The packager's version string; empty for a plain build. */
  package: string;
  /** Capabilities offered, e.g. `oob`. */
  capabilities: string[];
};

/** When QEMU sent an event, by the host's wall clock; -1 in both when QEMU could not read it. */
export type EventTimestamp = { seconds: number; microseconds: number };

export type Message =
  | { kind: 'greeting'; greeting: Greeting }
  | { kind: 'event'; event: string; data: Record<string, unknown>; timestamp: EventTimestamp | undefined }
  | { kind: 'return'; id: unknown; value: unknown }
  | { kind: 'error'; id: unknown; class: string; desc: string }
  | { kind: 'bad'; reason: string };

/** Parses and classifies one line. `parsed` is the JSON value, undefined when the line is no JSON. Never throws. */
export function readMessage(line: string): { message: Message; parsed: unknown } {
  let parsed: unknown;
  try {
    parsed = parseJson(line);
  } catch (error) {
    return { message: bad(`a line that is not JSON (${messageOf(error)})`), parsed: undefined };
  }
  return { message: classify(parsed), parsed };
}

function classify(value: unknown): Message {
  if (!isObject(value)) return bad('a message that is not an object');
  if (Object.hasOwn(value, 'QMP')) return classifyGreeting(value['QMP']);
  if (Object.hasOwn(value, 'event')) return classifyEvent(value);
  const id = Object.hasOwn(value, 'id') ? value['id'] : undefined;
  const hasReturn = Object.hasOwn(value, 'return');
  const hasError = Object.hasOwn(value, 'error');
  if (hasReturn && hasError) return bad("a message with both 'return' and 'error'");
  if (hasReturn) return { kind: 'return', id, value: value['return'] };
  if (hasError) {
    const error = value['error'];
    if (!isObject(error) || typeof error['class'] !== 'string' || typeof error['desc'] !== 'string') {
      return bad("an error without the strings 'class' and 'desc'");
    }
    return { kind: 'error', id, class: error['class'], desc: error['desc'] };
  }
  return bad('a message that is neither greeting, event, return nor error');
}

function classifyGreeting(value: unknown): Message {
  const version = isObject(value) ? value['version'] : undefined;
  const qemu = isObject(version) ? version['qemu'] : undefined;
  const capabilities = isObject(value) ? value['capabilities'] : undefined;
  if (!isObject(value) || !isObject(version) || !isObject(qemu) || !Array.isArray(capabilities)) {
    return bad('a greeting without version and capabilities');
  }
  const { major, minor, micro } = qemu;
  if (typeof major !== 'number' || typeof minor !== 'number' || typeof micro !== 'number') {
    return bad('a greeting without a numeric version');
  }
  return {
    kind: 'greeting',
    greeting: {
      version: { major, minor, micro },
      package: typeof version['package'] === 'string' ? version['package'] : '',
      // Future capabilities may be other than strings only by a change of the specification; ignore what we cannot name.
      capabilities: capabilities.filter(c => typeof c === 'string'),
    },
  };
}

function classifyEvent(value: Record<string, unknown>): Message {
  const event = value['event'];
  if (typeof event !== 'string') return bad('an event without a name');
  const data = value['data'] ?? {};
  if (!isObject(data)) return bad('an event whose data is not an object');
  const stamp = value['timestamp'];
  const timestamp =
    isObject(stamp) && typeof stamp['seconds'] === 'number' && typeof stamp['microseconds'] === 'number'
      ? { seconds: stamp['seconds'], microseconds: stamp['microseconds'] }
      : undefined;
  return { kind: 'event', event, data, timestamp };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bad(reason: string): Message {
  return { kind: 'bad', reason };
}

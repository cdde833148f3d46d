/**
 * @module The `format` file of a trace event: how the kernel prints it. Numbers of enumerations differ from
 * kernel to kernel, their words stand in this file. Format: Documentation/trace/events.rst of Linux.
 */

export interface TraceFormat {
  name: string;
  id: number;
  /** The text of `print fmt`, and what is printed for each of its conversions: a field, with the words of its values. */
  template: string;
  arguments: { field: string; symbols?: ReadonlyMap<number, string> }[];
}

/** A kernel's file is some kilobytes. */
const MAX_FORMAT = 65_536;

/** Takes a format file apart; undefined for what is none. */
export function traceFormat(text: string): TraceFormat | undefined {
  const head = text.slice(0, MAX_FORMAT);
  const name = /^name: (\w{1,64})$/m.exec(head)?.[1];
  const id = /^ID: (\d{1,9})$/m.exec(head)?.[1];
  const print = /^print fmt: "((?:[^"\\]|\\.)*)"(?:, (.*))?$/ms.exec(head);
  if (name === undefined || id === undefined || print === null) return undefined;
  const [, template = '', given = ''] = print;
  return { name, id: Number(id), template, arguments: topLevel(given).map(argument) };
}

/** Splits at commas outside parentheses, braces and strings. */
function topLevel(list: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  let quoted = false;
  for (let i = 0; i < list.length; i++) {
    const c = list[i] as string;
    if (c === '\\') i++;
    else if (c === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (c === '(' || c === '{') depth++;
    else if (c === ')' || c === '}') depth--;
    else if (c === ',' && depth === 0) {
      parts.push(list.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(list.slice(from));
  return parts.map(p => p.trim()).filter(p => p !== '');
}

/** `REC->pfn`, or `__print_symbolic(REC->type, { 0, "…" }, …)`. */
function argument(text: string): TraceFormat['arguments'][number] {
  const field = /\bREC->(\w+)/.exec(text)?.[1] ?? '';
  if (!text.startsWith('__print_symbolic(')) return { field };
  const pairs = [...text.matchAll(/\{\s*(0x[0-9a-fA-F]+|-?\d+)\s*,\s*"((?:[^"\\]|\\.)*)"\s*\}/g)];
  return { field, symbols: new Map(pairs.map(m => [Number(m[1]), (m[2] as string).replaceAll(/\\(.)/g, '$1')])) };
}

const CONVERSION = /%[-#0 +]*\d*(?:\.\d+)?(?:hh|h|ll|l|z)?([a-zA-Z%])/g;
const escaped = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&');

/**
 * Makes a reader of what the kernel prints for such an event (what stands behind `name: ` in a line of trace_pipe): the text of
 * each field by its name. A value that the format has no word for is printed as a number, and stays one.
 */
export function printedFields(format: TraceFormat): (text: string) => Record<string, string> | undefined {
  let pattern = '';
  let at = 0;
  let n = 0;
  const names: string[] = [];
  for (const m of format.template.matchAll(CONVERSION)) {
    pattern += escaped(format.template.slice(at, m.index));
    at = m.index + m[0].length;
    if (m[1] === '%') {
      pattern += '%';
      continue;
    }
    const given = format.arguments[n++];
    names.push(given?.field ?? '');
    if (given?.symbols !== undefined)
      // The longest first: one word may begin as another does.
      pattern += `(${[...given.symbols.values()]
        .sort((a, b) => b.length - a.length)
        .map(escaped)
        .join('|')}|0x[0-9a-f]+)`;
    else pattern += m[1] === 's' ? '(.*?)' : '(-?(?:0x)?[0-9a-fA-F]+)';
  }
  const re = new RegExp(`^${pattern}${escaped(format.template.slice(at))}$`);
  return text => {
    const m = re.exec(text);
    return m === null ? undefined : Object.fromEntries(names.map((name, i) => [name, m[i + 1] ?? '']));
  };
}

/** @module A register, bit by bit: names over the bits, each of which can be turned, and its fields in a table. */
import { useRef, useState } from 'preact/hooks';
import { parseU64 } from '@syndrome/decode/common/hex.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { fits } from '@syndrome/decode/registers/address.ts';
import type { Finding } from '@syndrome/decode/registers/finding.ts';
import type { RegisterView } from '@syndrome/decode/registers/view.ts';
import { type BitName, bitRows, namedBits } from '../view/bits.ts';
import { changedBits, flipped } from '../view/edit.ts';
import type { DecodeModel } from './decode-model.ts';

interface Props {
  model: DecodeModel;
  view: RegisterView;
  /** As it was read. */
  before: bigint | undefined;
  lint: readonly Finding[];
}

/** Whether a name is longer than its bits are wide, and stands on end. */
const isUpright = ({ span, name }: BitName): boolean => span < 3 && name.length > (span === 1 ? 1 : 4);

const hex = (value: bigint, width: number): string => `0x${value.toString(16).padStart(width / 4, '0')}`;

export function BitStrip({ model, view, before, lint }: Props) {
  const [all, setAll] = useState(false);
  const [at, setAt] = useState<number | undefined>(undefined);
  const strip = useRef<HTMLDivElement>(null);
  const every = bitRows(view);
  const flagged = namedBits(lint, view.member);
  const changed = new Set(before === undefined ? [] : changedBits(before, view.value));
  const { lit } = model;
  const isLit = (hi: number, lo: number): boolean =>
    lit.value?.member === view.member && lit.value.lo <= hi && lit.value.hi >= lo;
  const point = (hi: number, lo: number): void => void (lit.value = { member: view.member, hi, lo });
  const leave = (): void => void (lit.value = undefined);
  // A half of which nothing is known and nothing is set says nothing.
  const told = every.filter(
    row => row.names.length > 0 || row.bits.some(({ bit, set: on }) => on || changed.has(bit) || flagged.has(bit)),
  );
  const rows = all || told.length === 0 ? every : told;
  const top = rows[0]?.high ?? view.width - 1;
  const stop = Math.min(at ?? top, top);
  const flip = (bit: number): void => model.set(view.member, flipped(view.value, bit));
  const go = (bit: number): void => {
    const next = Math.max(0, Math.min(top, bit));
    setAt(next);
    strip.current?.querySelector<HTMLElement>(`[data-bit="${next}"]`)?.focus();
  };
  const keys = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = { ArrowLeft: 1, ArrowRight: -1, ArrowUp: 32, ArrowDown: -32 };
    const step = steps[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (step !== undefined && stop + step >= 0 && stop + step <= top) go(stop + step);
    else if (event.key === 'Home') go(top);
    else if (event.key === 'End') go(0);
    else return;
    event.preventDefault();
  };
  const set = view.rows.filter(
    row => row.value !== 0n || isFlagged(row.hi, row.lo) || [...changed].some(bit => bit >= row.lo && bit <= row.hi),
  );
  function isFlagged(hi: number, lo: number): boolean {
    for (let bit = lo; bit <= hi; bit++) if (flagged.has(bit)) return true;
    return false;
  }
  const shown = all ? view.rows : set;
  return (
    <div class="register">
      <p class="register-head">
        <HexField model={model} view={view} />
        <span class="muted">{safeText(view.source ?? 'no layout is known', 160)}</span>
      </p>
      <div
        class="strip"
        ref={strip}
        role="group"
        aria-label={`Bits of ${view.name}; arrows move, Space turns one`}
        onKeyDown={keys}
        onMouseLeave={leave}
      >
        {rows.map(row => (
          <div class="strip-row" key={row.high}>
            <div class="strip-names" aria-hidden="true">
              {row.names.map(name => (
                <span
                  key={`${name.hi}-${name.column}`}
                  class={`strip-name ${isUpright(name) ? 'is-upright' : ''} ${name.lit ? 'is-set' : ''} ${isLit(name.hi, name.lo) ? 'is-lit' : ''} ${isFlagged(name.hi, name.lo) ? 'is-flagged' : ''}`}
                  style={{ gridColumn: `${name.column} / span ${name.span}` }}
                  onMouseEnter={() => point(name.hi, name.lo)}
                  title={name.name}
                >
                  {name.name}
                </span>
              ))}
            </div>
            <div class="strip-bits">
              {row.bits.map(({ bit, set: on, field }) => {
                const of = view.rows.find(r => bit <= r.hi && bit >= r.lo);
                return (
                  <button
                    key={bit}
                    type="button"
                    data-bit={bit}
                    tabIndex={bit === stop ? 0 : -1}
                    aria-pressed={on}
                    aria-label={`${on ? 1 : 0}, bit ${bit}${field === undefined ? ', reserved' : ` ${field}`}${flagged.has(bit) ? ', a finding speaks of it' : ''}${changed.has(bit) ? ', changed' : ''}`}
                    class={`bit ${on ? 'is-set' : ''} ${field === undefined ? 'is-reserved' : ''} ${flagged.has(bit) ? 'is-flagged' : ''} ${changed.has(bit) ? 'is-changed' : ''} ${isLit(bit, bit) ? 'is-lit' : ''}`}
                    onClick={() => {
                      setAt(bit);
                      flip(bit);
                    }}
                    onMouseEnter={() => point(of?.hi ?? bit, of?.lo ?? bit)}
                    onFocus={() => point(of?.hi ?? bit, of?.lo ?? bit)}
                  >
                    {on ? 1 : 0}
                  </button>
                );
              })}
            </div>
            <div class="strip-numbers" aria-hidden="true">
              {row.bits.map(({ bit }) => (
                <span key={bit}>{bit % 4 === 3 || bit % 4 === 0 ? bit : ''}</span>
              ))}
            </div>
          </div>
        ))}
      </div>
      <table class="fields">
        <tbody>
          {shown.map(row => (
            <tr
              key={row.hi}
              class={`${isLit(row.hi, row.lo) ? 'is-lit' : ''} ${isFlagged(row.hi, row.lo) ? 'is-flagged' : ''}`}
              onMouseEnter={() => point(row.hi, row.lo)}
              onMouseLeave={leave}
            >
              <td class="muted">{row.hi === row.lo ? row.hi : `${row.hi}:${row.lo}`}</td>
              <th scope="row">{row.name}</th>
              <td>
                {row.hi === row.lo
                  ? String(row.value)
                  : `0x${row.value.toString(16)}${row.value > 9n ? ` (${row.value})` : ''}`}
              </td>
              <td class="meaning">{row.meaning ?? ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {(view.rows.length > set.length || every.length > told.length) && (
        <button type="button" class="link" onClick={() => setAll(!all)}>
          {all
            ? 'only what is set'
            : `all ${view.rows.length} fields${every.length > rows.length ? ` and ${view.width} bits` : ''}`}
        </button>
      )}
    </div>
  );
}

/** The value in hexadecimal, which can be typed. */
function HexField({ model, view }: { model: DecodeModel; view: RegisterView }) {
  const [typed, setTyped] = useState<string | undefined>(undefined);
  const parsed = typed === undefined ? view.value : parseU64(typed);
  const wrong = parsed === undefined || !fits(parsed, view.width);
  const take = (): void => {
    if (!wrong && parsed !== view.value) model.set(view.member, parsed);
    setTyped(undefined);
  };
  return (
    <input
      class="hex"
      value={typed ?? hex(view.value, view.width)}
      size={view.width / 4 + 3}
      spellcheck={false}
      autocomplete="off"
      aria-label={`Value of ${view.name}`}
      aria-invalid={wrong}
      onInput={event => setTyped(event.currentTarget.value)}
      onBlur={take}
      onKeyDown={event => {
        if (event.key === 'Enter') take();
        if (event.key === 'Escape') setTyped(undefined);
      }}
    />
  );
}

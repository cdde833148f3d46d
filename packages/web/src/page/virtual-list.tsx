/** @module A long list of which only what is seen is in the document. All rows have one height. */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useSize } from './use-size.ts';

/** Browsers cut elements that are taller; the scroll position is scaled beyond it. */
const TALLEST = 8_000_000;
const SPARE = 6;

interface Props {
  id: string;
  label: string;
  count: number;
  rowHeight: number;
  /** Position of the chosen row, -1 for none. */
  active: number;
  row: (position: number) => ComponentChildren;
  /** Extra classes of a row. */
  rowClass: (position: number) => string;
  onChoose: (position: number) => void;
  onStep: (step: number) => void;
  /** Called when somebody has scrolled, not the list itself. */
  onScrolled?: () => void;
}

export function VirtualList({
  id,
  label,
  count,
  rowHeight,
  active,
  row,
  rowClass,
  onChoose,
  onStep,
  onScrolled,
}: Props) {
  const box = useRef<HTMLDivElement>(null);
  /** Where the list has scrolled itself to; and the row that somebody has scrolled away from. */
  const own = useRef(0);
  const left = useRef(-1);
  const size = useSize(box);
  // A box that grows with what is in it would draw every row.
  const height = Math.min(size.height, innerHeight);
  const [top, setTop] = useState(0);
  const whole = count * rowHeight;
  const drawn = Math.min(whole, TALLEST);
  const travel = Math.max(0, drawn - height);
  const scale = travel > 0 ? Math.max(0, whole - height) / travel : 1;
  const real = Math.min(top, travel) * scale;
  const first = Math.max(0, Math.floor(real / rowHeight) - SPARE);
  const last = Math.min(count, Math.ceil((real + height) / rowHeight) + SPARE);
  // Of a list that is scaled the rows lie where they are seen.
  const shift = scale === 1 ? 0 : Math.min(top, travel) - real;

  useEffect(() => {
    const element = box.current;
    // A list that grows does not take who reads it elsewhere.
    if (!element || active < 0 || left.current === active) return;
    left.current = -1;
    const at = active * rowHeight;
    const now = element.scrollTop * scale;
    const seen = element.clientHeight;
    // From afar it comes to where there is something before and much behind it.
    if (at < now - seen || at > now + 2 * seen) element.scrollTop = Math.max(0, at - seen / 3) / scale;
    else if (at < now) element.scrollTop = Math.max(0, at - rowHeight * 2) / scale;
    else if (at + rowHeight > now + seen) element.scrollTop = (at - seen + rowHeight * 3) / scale;
    own.current = element.scrollTop;
  }, [active, count, height]);

  useLayoutEffect(() => {
    const element = box.current;
    if (element && element.scrollTop > travel) element.scrollTop = own.current = travel;
  }, [count]);

  const keys = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(height / rowHeight) - 1);
    const steps: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -count,
      End: count,
    };
    const step = steps[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    onStep(step);
  };

  const shown = Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i);
  return (
    <div
      class="list"
      ref={box}
      role="listbox"
      tabIndex={0}
      aria-label={label}
      aria-activedescendant={active >= first && active < last ? `${id}-${active}` : undefined}
      onScroll={event => {
        const { scrollTop } = event.currentTarget;
        setTop(scrollTop);
        if (Math.abs(scrollTop - own.current) <= 1) return;
        left.current = active;
        onScrolled?.();
      }}
      onKeyDown={keys}
    >
      <div class="list-all" role="presentation" style={{ height: `${drawn}px` }}>
        {shown.map(position => (
          <div
            key={position}
            id={`${id}-${position}`}
            role="option"
            aria-selected={position === active}
            aria-posinset={position + 1}
            aria-setsize={count}
            class={`list-row ${position === active ? 'is-active' : ''} ${rowClass(position)}`}
            style={{ transform: `translateY(${position * rowHeight + shift}px)`, height: `${rowHeight}px` }}
            onClick={() => onChoose(position)}
          >
            {row(position)}
          </div>
        ))}
      </div>
    </div>
  );
}

/** @module The page of records: anything that is pasted or dropped, what it comes to, and one record bit by bit. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { KIND_WORDS } from '@syndrome/decode/bundle/file-kind.ts';
import { escapeLines, escapeText, safeText } from '@syndrome/decode/common/screen.ts';
import { describe } from '@syndrome/decode/decode/record-rules.ts';
import type { DecodedRecord } from '@syndrome/decode/decode/record.ts';
import type { DecodeCommand } from '../view/keys.ts';
import { BitStrip } from './bit-strip.tsx';
import type { DecodeModel, Input } from './decode-model.ts';
import { Findings } from './findings.tsx';
import { OutlookView } from './outlook-view.tsx';
import { Prose } from './prose.tsx';
import { RecordListView } from './record-list.tsx';
import { TriageView } from './triage-view.tsx';

interface Props {
  model: DecodeModel;
  choose: () => void;
  bind: (run: (command: DecodeCommand) => boolean) => void;
}

/** Inputs of which each shows something else. */
const EXAMPLES: readonly (readonly [label: string, text: string])[] = [
  ['a machine check as values', 'status=0xbd80000000100134 mcgstatus=0x7 addr=0x87ee000 misc=0x8c bank=7 vendor=intel'],
  ['a deferred error of an AMD guest', 'status=0x9c00180000000000 addr=0x87ee000 misc=0x8c bank=9 vendor=amd'],
  ['an external abort of arm64', 'esr=0x92000410 far=0xffff80001000'],
  [
    'lines of a kernel log',
    [
      '[  310.102030] mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 8: 8c00004000010092',
      '[  310.102031] mce: [Hardware Error]: TSC 2ba5d7cda8cb ADDR 87ee000 MISC 4000008c ',
      '[  310.102032] mce: [Hardware Error]: PROCESSOR 0:50654 TIME 1796021342 SOCKET 0 APIC 6 microcode 2007006',
      '[  310.204000] Memory failure: 0x87ee: recovery action for dirty LRU page: Recovered',
    ].join('\n'),
  ],
];

const PLACEHOLDER = `status=0xbd80000000100134 addr=0x87ee000 bank=7
mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 8: 8c00004000010092
{1}[Hardware Error]: Hardware error from APEI Generic Hardware Error Source: 4
4350 4552 0001 …`;

export function DecodePage({ model, choose, bind }: Props) {
  const filter = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const commands: Partial<Record<DecodeCommand, () => void>> = {
      next: () => model.step(1),
      previous: () => model.step(-1),
      filter: () => filter.current?.select(),
      undo: () => model.undo(),
      reset: () => model.reset(),
      groups: () => (model.grouped.value = !model.grouped.value),
      new: () => model.close(),
      escape: () => {
        model.find.value = '';
        filter.current?.blur();
      },
    };
    bind(command => {
      const run = commands[command];
      run?.();
      return run !== undefined;
    });
  }, [model]);
  const input = model.input.value;
  const record = model.record.value;
  // While an input is read the list grows; what stands beside it stays as it was drawn.
  const shown = useMemo(() => record && <RecordView model={model} record={record} />, [record]);
  if (!input) return <Empty model={model} choose={choose} />;
  return (
    <main class="decode">
      <RecordListView model={model} filter={filter} />
      <div class="decode-main" tabIndex={0} aria-label="The chosen record">
        <TriageView model={model} />
        {shown ?? <NoRecord model={model} />}
      </div>
    </main>
  );
}

function Empty({ model, choose }: { model: DecodeModel; choose: () => void }) {
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => box.current?.focus(), []);
  const take = (): void => {
    const text = box.current?.value ?? '';
    if (text.trim() !== '') void model.openText(text);
  };
  return (
    <main class="empty">
      <h1>Paste an error</h1>
      <p>
        A register value, lines of a log, a hex dump of a firmware record: anything that tells of a hardware error. A
        file may be dropped, whatever its size.
      </p>
      <textarea
        ref={box}
        class="paste"
        aria-label="What is to be decoded"
        rows={7}
        placeholder={PLACEHOLDER}
        spellcheck={false}
        onPaste={() => setTimeout(take, 0)}
        onKeyDown={event => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) take();
        }}
      />
      <p class="actions">
        <button type="button" class="button button-main" onClick={take}>
          Decode <kbd>Ctrl Enter</kbd>
        </button>
        <button type="button" class="button button-large" onClick={choose}>
          Choose a file…
        </button>
      </p>
      <Examples model={model} />
    </main>
  );
}

/** What can be looked at where there is nothing else. */
function Examples({ model }: { model: DecodeModel }) {
  return (
    <div class="examples">
      <span class="muted" id="examples-head">
        or look at
      </span>
      <ul class="plain" aria-labelledby="examples-head">
        {EXAMPLES.map(([label, text]) => (
          <li key={label}>
            <button type="button" class="link" onClick={() => void model.openText(text, label)}>
              {label}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function NoRecord({ model }: { model: DecodeModel }) {
  const input = model.input.value;
  if (!input) return null;
  if (input.share !== undefined) return <p class="nothing">Reading {safeText(input.name, 100)} …</p>;
  if (input.parts.every(({ unread }) => unread !== undefined)) return <Unread parts={input.parts} />;
  const [first] = input.remarks;
  return (
    <div class="nothing no-record" role="status">
      <h1>No error record in {safeText(input.name, 100)}</h1>
      <p>
        {input.why.startsWith('read as') ? (
          `It was ${input.why}.`
        ) : (
          <>
            It was read as <b>{input.form || 'text'}</b>
            {input.why === '' ? '' : `: ${input.why}`}.
          </>
        )}
      </p>
      {first && (
        <p>
          <code>{first.code}</code> {first.text}
          {first.line === undefined ? '' : `, line ${first.line}`}
        </p>
      )}
      <h2>What helps</h2>
      <ul>
        <li>
          of a log the whole lines around <code>Hardware Error</code>, <code>Memory failure</code> or <code>EDAC</code>,
          as the kernel printed them
        </li>
        <li>
          of registers their names: <code>status=0x… addr=0x… vendor=amd</code>
        </li>
        <li>of a firmware record all of its bytes, as a file, a hex dump or base64</li>
      </ul>
      <Examples model={model} />
    </div>
  );
}

/** Files of which none is read here: what they are, and the command that reads them. */
function Unread({ parts }: { parts: Input['parts'] }) {
  return (
    <div class="nothing no-record" role="status">
      {parts.map(({ name, unread }) => {
        const { what = '', first } = unread === undefined ? {} : KIND_WORDS[unread];
        return (
          <div key={name}>
            <h1>
              {safeText(name, 100)} is {what}
            </h1>
            {first !== undefined && (
              <p>
                <Prose text={first} />
              </p>
            )}
          </div>
        );
      })}
      <p>
        This page reads logs, dumps and records, as they are or packed with gzip. The program reads databases and
        support bundles too, and puts what it finds into a page like this one:
      </p>
      <pre class="raw">syndrome decode FILE --html OUT.html</pre>
    </div>
  );
}

function RecordView({ model, record }: { model: DecodeModel; record: DecodedRecord }) {
  const original = model.original.value ?? record;
  const edited = model.edits.value.length > 0;
  const { raw } = record;
  const views = describe(raw);
  const before = new Map(describe(original.raw).map(view => [view.member, view.value]));
  const [tab, setTab] = useState('');
  const [firstView] = views;
  const shown = views.find(view => view.member === tab) ?? firstView;
  const flagged = (member: string): boolean =>
    record.lint.some(({ bits = [], members = [] }) => members.includes(member) || bits.some(b => b.member === member));
  return (
    <article class="record">
      <header class="record-head">
        <div>
          <h1>{safeText(record.headline, 300)}</h1>
          {edited && original.headline !== record.headline && (
            <p class="was">
              was: <s>{safeText(original.headline, 300)}</s>
            </p>
          )}
        </div>
        <p class="record-acts">
          {edited && (
            <>
              <span class="edited">changed</span>
              <button type="button" class="button" onClick={() => model.undo()}>
                undo <kbd>u</kbd>
              </button>
              <button type="button" class="button" onClick={() => model.reset()}>
                as read <kbd>0</kbd>
              </button>
            </>
          )}
        </p>
      </header>
      <p class="badges">
        <span class={`badge severity-${record.severity}`}>{record.severity}</span>
        {record.class.toLowerCase() !== record.severity && <span class="badge">{safeText(record.class, 80)}</span>}
        {raw.kind === 'x86-mca' && (
          <label class="badge">
            <span class="muted">vendor</span>{' '}
            <select
              value={raw.vendor ?? ''}
              onChange={event => model.setVendor(event.currentTarget.value as 'intel' | 'amd')}
            >
              {raw.vendor === undefined && <option value="">not known</option>}
              <option value="intel">intel</option>
              <option value="amd">amd</option>
            </select>
          </label>
        )}
        {record.cpu !== undefined && <span class="badge">CPU {record.cpu}</span>}
        {record.bank !== undefined && <span class="badge">bank {record.bank}</span>}
        {record.address && (
          <span class="badge mono">
            0x{record.address.value.toString(16).padStart(16, '0')} <span class="muted">{record.address.space}</span>
            {record.address.pfn === undefined ? '' : ` pfn 0x${record.address.pfn.toString(16)}`}
          </span>
        )}
        {record.component && record.component.name !== 'unknown' && (
          <span class="badge">
            {safeText(record.component.name, 80)}
            {record.component.detail === undefined ? '' : `: ${safeText(record.component.detail, 80)}`}
          </span>
        )}
        {record.mcacod && (
          <span class="badge mono">
            <span class="muted">error code</span> {safeText(record.mcacod.mnemonic, 40)}
          </span>
        )}
        {record.time && <span class="badge">{safeText(record.time.text, 60)}</span>}
      </p>
      <div class="record-columns">
        <div class="record-what">
          <p class="explanation">
            <Prose text={record.explanation} />
          </p>
          <p class="next-step">
            <b>Next step</b> <Prose text={record.nextStep} />
          </p>
          {views.length > 0 && record.lint.length === 0 && (
            <p class="lint">
              <b class="mark-pass" aria-hidden="true">
                ✓
              </b>{' '}
              no finding: nothing in it speaks against real hardware
            </p>
          )}
          <Findings
            findings={record.lint}
            point={finding => {
              const [bits] = finding?.bits ?? [];
              model.lit.value = bits && { member: bits.member, hi: bits.hi, lo: bits.lo };
            }}
          />
        </div>
        <OutlookView model={model} />
        <div class="record-bits">
          {shown && (
            <section class="registers" aria-label="Registers">
              <div class="tabs" role="tablist" aria-label="Registers">
                {views.map(view => (
                  <button
                    key={view.member}
                    type="button"
                    role="tab"
                    aria-selected={view === shown}
                    tabIndex={view === shown ? 0 : -1}
                    onClick={() => setTab(view.member)}
                    onKeyDown={event => {
                      const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
                      const next = views[views.indexOf(view) + step];
                      if (step === 0 || !next) return;
                      setTab(next.member);
                      const buttons = event.currentTarget.parentElement?.children;
                      (buttons?.[views.indexOf(next)] as HTMLElement | undefined)?.focus();
                    }}
                  >
                    {safeText(view.name, 60)}
                    {before.get(view.member) !== view.value && (
                      <span class="dot" title="changed">
                        {' '}
                        •
                      </span>
                    )}
                    {flagged(view.member) && (
                      <span class="flag" title="a finding speaks of it">
                        {' '}
                        !
                      </span>
                    )}
                  </button>
                ))}
              </div>
              <BitStrip
                key={shown.member}
                model={model}
                view={shown}
                before={before.get(shown.member)}
                lint={record.lint}
              />
            </section>
          )}
          {views.length === 0 && record.fields.length > 0 && (
            <table class="fields">
              <tbody>
                {record.fields.map(({ name, value, meaning }) => (
                  <tr key={name}>
                    <th scope="row">{safeText(name, 80)}</th>
                    <td>{typeof value === 'bigint' ? `0x${value.toString(16)}` : escapeText(String(value))}</td>
                    <td class="meaning">{safeText(meaning ?? '', 300)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </div>
        <RawLines model={model} record={original} />
      </div>
    </article>
  );
}

/** More of the lines is shown when it is asked for. */
const MUCH = 6000;

/** The lines that the record was read from, as they came. */
function RawLines({ model, record }: { model: DecodeModel; record: DecodedRecord }) {
  const [lines, setLines] = useState<{ of: DecodedRecord; text: string } | undefined>(undefined);
  const { firstByte, endByte, bytesOf, firstLine, lastLine, from } = record.source;
  const part = model.partOf(model.chosen.value);
  const blob = part?.blob;
  const readable =
    blob !== undefined &&
    firstByte !== undefined &&
    endByte !== undefined &&
    bytesOf === undefined &&
    firstLine !== undefined;
  useEffect(() => {
    if (!readable) return undefined;
    let wanted = true;
    void blob
      .slice(firstByte, Math.min(endByte, firstByte + MUCH))
      .text()
      .then(text => wanted && setLines({ of: record, text }));
    return () => {
      wanted = false;
    };
  }, [record, blob]);
  const where =
    firstLine === undefined
      ? firstByte === undefined
        ? ''
        : `byte 0x${firstByte.toString(16)}`
      : `line ${firstLine}${lastLine === undefined || lastLine === firstLine ? '' : ` to ${lastLine}`}`;
  const several = model.list.named;
  return (
    <section class="record-raw" aria-labelledby="raw-head">
      <h2 class="raw-head" id="raw-head">
        As received{' '}
        <span class="muted">
          {[several ? safeText(part?.name ?? '', 80) : '', where, `read as ${from}`]
            .filter(text => text !== '')
            .join(' · ')}
        </span>
      </h2>
      {readable && lines?.of === record && (
        <pre class="raw">
          {escapeLines(lines.text)}
          {endByte - firstByte > MUCH ? ' …' : ''}
        </pre>
      )}
    </section>
  );
}

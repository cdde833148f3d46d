/** Every parser of text that somebody else has written, with lines that it knows. */
import { Duplex } from 'node:stream';
import { LINES } from '../inputs.ts';
import { didYouMean } from '@syndrome/decode/common/nearest.ts';
import { Pattern } from '@syndrome/decode/common/pattern.ts';
import { escapeJson, escapeLines, escapeText, safeText } from '@syndrome/decode/common/screen.ts';
import { createDecoder, decode } from '@syndrome/decode/decode/decoder.ts';
import { explainCode } from '@syndrome/decode/decode/explain-code.ts';
import { explainField, explainRegister } from '@syndrome/decode/decode/explain-field.ts';
import { explainMnemonic } from '@syndrome/decode/decode/explain-mnemonic.ts';
import { explainTerm } from '@syndrome/decode/decode/explain-term.ts';
import { FORMS } from '@syndrome/decode/decode/form.ts';
import { toData } from '@syndrome/decode/decode/record.ts';
import { BriefWriter } from '@syndrome/decode/decode/to-brief.ts';
import { JsonWriter } from '@syndrome/decode/decode/to-json.ts';
import { TextWriter, toRaw, toText } from '@syndrome/decode/decode/to-text.ts';
import { wrap as wrapDecoded } from '@syndrome/decode/decode/wrap.ts';
import { PacketReader } from '@syndrome/qemu/gdb/packet.ts';
import { parseStop } from '@syndrome/qemu/gdb/stop.ts';
import { readXml } from '@syndrome/qemu/xml/read.ts';
import { AgentClient } from '@syndrome/lab/guest/client.ts';
import { ConsoleReader } from '@syndrome/lab/guest/console.ts';
import { parseLine, typeFields } from '@syndrome/lab/guest/wire.ts';
import { qmpAddress } from '@syndrome/cli/qmp-address.ts';
import { machineKinds } from '@syndrome/lab/machines/registry.ts';
import { versionsOf } from '@syndrome/lab/matrix/axes.ts';
import { cpuSignatureOf, cpuVendor } from '@syndrome/lab/cpu-models.ts';
import { cpuFeatures, cpusUp, kernelSettings } from '@syndrome/lab/outlook-settings.ts';
import { findInterrupt } from '@syndrome/lab/steps/interrupt-line.ts';
import { parseDuration } from '@syndrome/trace/duration.ts';
import { parseCondition } from '@syndrome/trace/expect/condition.ts';
import { parseExpectation } from '@syndrome/trace/expect/expectation.ts';
import { judgeTrace } from '@syndrome/trace/expect/verdict.ts';
import { parseScenarios } from '@syndrome/lab/scenario/load.ts';
import { TRACE_VERSION, type TraceEvent } from '@syndrome/trace/event.ts';
import { parseEvent, parseHeader } from '@syndrome/trace/testing/parse.ts';
import { runResult } from '@syndrome/lab/testing/result.ts';
import { parseVersion } from '@syndrome/decode/outlook/version.ts';
import { LineSplitter } from '@syndrome/decode/common/line-splitter.ts';
import { hmpErrorOf } from '@syndrome/qemu/qmp/hmp.ts';
import { QmpProtocol } from '@syndrome/qemu/qmp/protocol.ts';
import { junitXml } from '@syndrome/lab/report/junit.ts';
import { ktap } from '@syndrome/lab/report/ktap.ts';
import { styledLines } from '@syndrome/lab/report/style.ts';
import { plain } from '@syndrome/trace/style.ts';
import { verdictLines } from '@syndrome/trace/verdict-lines.ts';
import { Timeline } from '@syndrome/trace/timeline.ts';
import { parseUris } from '@syndrome/lab/supply/apt.ts';
import { chooseMirror, parseDeb822, parseOneLine } from '@syndrome/lab/supply/debian-sources.ts';
import { compareDebianVersions } from '@syndrome/lab/supply/debian-version.ts';
import { classifyApt } from '@syndrome/lab/supply/errors.ts';
import { imagePackages, kernelsIn, parseKernelQuery } from '@syndrome/lab/supply/kernels.ts';
import { linuxEvents, qemuEvents, xenEvents, type EventReader } from '@syndrome/decode/text/event-reader.ts';
import { hmpOutputEvents } from '@syndrome/decode/text/qemu/messages.ts';
import { qmpEvent } from '@syndrome/decode/text/qemu/qmp-events.ts';
import { mceCommand, values, whyNoValues } from '@syndrome/decode/text/values/values.ts';
import { ControlLines, parseControl } from '@syndrome/vmm/control.ts';

/** A parser under test. */
export interface Parser {
  /** Room and thing. */
  name: string;
  /** Lines, or whole inputs, that it knows. */
  seeds: readonly string[];
  run: (text: string) => unknown;
  /** Fewer shapes than of the others, where each takes seconds. */
  most?: number;
}

const utf8 = new TextEncoder();
const rows = (text: string): string[] => text.split('\n');

/** As streams deliver it at worst: in pieces of a few bytes. */
function pieces(text: string, take: (piece: Uint8Array) => void): void {
  const bytes = utf8.encode(text);
  for (let at = 0; at < bytes.length; at += 7) take(bytes.subarray(at, at + 7));
}

/** Runs each, whatever the others throw. */
const each = (...parts: (() => unknown)[]): void => {
  for (const part of parts) {
    try {
      part();
    } catch (error) {
      if (error instanceof RangeError) throw error;
    }
  }
};

const withParser = (make: () => EventReader) => (text: string) => {
  const parser = make();
  for (const line of rows(text)) parser.push(line);
  parser.end();
};

/** CPER as a hex dump, as bare hex and as base64. */
const BYTES = [
  '0000: 43 50 45 52 00 01  CPER..',
  '00000000  43 50 45 52 00 01 |CPER..|',
  '43504552 00010203',
  'Q1BFUgAB=',
];
const VALUES = [
  '0xbd80000000000134',
  'status=0xbd80000000000134 addr=0x1234 misc: 0x8c bank=9 vendor=amd',
  'STATUS bd80000000000134 MCGSTATUS 7',
  '(qemu) mce -b 0 9 0xbd80000000000134 0x7 0x1234 0x8c',
  'be000000`00800400, 0x7, 17, esr: 0x92000410 far = 0x1000',
  'CPU 0: Machine Check Exception: 0000000000000004 Bank 5: b200000000000175',
];
const AGENT = [
  'E ready t=0x1 version=1 proto=1 kernel=6.12 arch=x86_64 boot=- cpus=2 pid1=1',
  'E signal t=1 proc=victim pid=5 signo=7 signal=SIGBUS code=4 codename=BUS_MCEERR_AR addr=0x7f00 lsb=12',
  'R 12 ok t=0x5 virt=0x7f0000001000 bytes=4096 physerr=a%20b',
  'R 12 err EINVAL no%20such t=5',
  'D 12 a%20b%zz',
  'C 12 more',
];
const QMP = [
  '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 1, "major": 11}, "package": ""}, "capabilities": ["oob"]}}',
  '{"return": {}, "id": "a-1"}',
  '{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "MEMORY_FAILURE", "data": {"action": "ignore", "flags": {"recursive": false}}}',
  '{"error": {"class": "GenericError", "desc": "no"}, "id": "a-1"}',
];
const HMP = [
  'Host physical address for 0x1000 (pc.ram) is 0x12345000',
  "unknown command: 'gpa2hpb'",
  "Error: Device 'x' not found",
  'gpa: 0x1000',
];
const XML = [
  '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target><architecture>i386:x86-64</architecture>',
  '<feature name="org.gnu.gdb.i386.core"><reg name="rax" bitsize="64" type="int64" regnum="0"/></feature>',
  '<a b=\'c\' d="&lt;&amp;">text</a><!-- comment --><![CDATA[x]]>',
];
const APT = [
  "E: Version '1.2' for 'busybox-static' was not found",
  'W: http://m.example/debian: The key(s) in the keyring /etc/apt/trusted.gpg.d/x.gpg are ignored as the file is not readable by user',
  'E: Release file for http://m.example/debian/dists/sid/InRelease is expired (invalid since 3d). Updates are not applied.',
  'E: Failed to fetch http://m.example/x.deb  404  Not Found [IP: 192.0.2.1 80]',
  'E: Failed to fetch http://m.example/x.deb  503  Service Unavailable [IP: 192.0.2.1 80]',
  'Err:1 http://m.example sid InRelease Could not connect to m.example:80 (192.0.2.1). - connect (111: Connection refused)',
];
const SOURCES = [
  'deb [arch=amd64,arm64 signed-by=/usr/share/keyrings/a.gpg] http://m.example/debian bookworm main contrib # comment',
  'Types: deb deb-src\nURIs: http://m.example/debian http://n.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\nEnabled: yes\nSigned-By:\n -----BEGIN\n .\n abc',
];
const URIS = [
  `'http://m.example/pool/q_11.1.3%2bds-1_amd64.deb' qemu-system-x86_1%3a11.1.3+ds-1_amd64.deb 10377056 SHA256:${'ab'.repeat(32)}`,
];
const PACKAGES = ['linux-image-6.1.0-50-cloud-amd64', 'linux-binary-7.2.12+deb13-amd64', '1:6.1.176-1~bpo12+1'];
const SCENARIO = [
  `name: my-case\ntitle: A case\nabout: what\nwhy: because\nsources: [SDM]\nmachine: { kind: ${machineKinds()[0]?.name} }\nsteps:\n  - spawn: { process: victim }\n  - map: { process: victim, as: page }\n  - inject-mce: { record: srao, addr: $page, status: 0xbd000000000000c1 }\nexpect:\n  - within 5s: process.signal addr=$page.virt code~"BUS_(A|B)+"\noutcome: signalled\n`,
  'a: &anchor [1, "two", \'three\']\nb: *anchor\nc: !!str |\n  text\n  more\nd: >-\n  folded\n# comment\n? e\n: f',
  '%TAG ! tag:example,2000:\n---\na: {b: 1, c: [d, e]}\n',
];
const CONDITIONS = [
  'process.signal proc=victim code=BUS_MCEERR_AO addr=$page.virt count>=2',
  'guest.panic message~"machine check \\" a|b" text!="x"',
  'guest.mce text~^(a|a)*$',
];
const HEADER =
  '{"type":"trace","version":1,"scenario":"x","expect":["never: guest.panic message~^(a|a)*$","count >=2: guest.mce bank=1"],"parts":{}}';
const TRACE = [
  '{"seq":1,"t":1,"layer":"guest","source":"console","raw":"x","name":"guest.panic","fields":{"message":"a","addr":"0x0000000000001000"}}',
  '{"seq":2,"t":2,"layer":"lab","source":"lab","name":"lab.value","fields":{"name":"page","value":"0x0000000000001000"}}',
  '{"seq":3,"t":3,"layer":"vmm","source":"qmp","dir":"receive","raw":"{}","name":"guest.mce","fields":{"bank":1}}',
];

/** A trace of these lines: read, judged, drawn. */
function show(header: string, lines: readonly string[]): void {
  const head = parseHeader(header, 'x.ndjson');
  const events = lines.map(parseEvent).filter(event => event !== undefined);
  const timeline = new Timeline({ style: plain, layers: ['lab', 'vmm', 'guest', 'process'], all: true });
  for (const event of events) timeline.lines(event);
  verdictLines('x', judgeTrace(head, events), undefined, { style: plain, width: 100 });
}

const PATTERNS = ['^(a|a)*$', '((a+))+$', '(a+b?)*$', 'x.*y.*z', '\\s+$', '(?:.{0,20}=){5}'];
/** A hundred expectations, with patterns about as large as a header may have. */
const LARGE = [...Array<string>(2).fill('(a?b?a?b?){48}d'), ...Array<string>(98).fill('d')];

/** As many events as there are lines, judged by patterns and by numbers. */
function judged(text: string, patterns: readonly string[], more: readonly string[] = []): void {
  const events: TraceEvent[] = rows(text).map((message, i) => ({
    seq: i + 1,
    t: i,
    layer: 'guest',
    source: 'console',
    name: 'guest.panic',
    fields: { message, bank: i },
  }));
  const expect = patterns.map(pattern => `never: guest.panic message~"${pattern.replaceAll('\\', '\\\\')}"`);
  const header = { type: 'trace', version: TRACE_VERSION, expect: [...expect, ...more] };
  judgeTrace(parseHeader(JSON.stringify(header), 'x'), events);
}

/** All that is printed of a result whose every word is this text. */
function reported(text: string): void {
  const problem = { code: 'E_X', message: text, hint: text };
  const parts = { qemu: text, kernel: text };
  const result = runResult({ scenario: text, title: text, verdict: 'error', problem, parts });
  each(
    () => junitXml([result]),
    () => ktap([result]),
    () => verdictLines(text, result, text, { style: plain, width: 100 }),
    () => [escapeText(text), escapeLines(text), escapeJson(text), safeText(text), styledLines(text)],
    () => wrapDecoded(text),
  );
}

/** What is decoded of a text, in every form of output. */
function written(text: string): void {
  const { records } = decode(utf8.encode(text));
  const [brief, json, full] = [new BriefWriter(), new JsonWriter(), new TextWriter({ table: true })];
  for (const record of records) {
    brief.line(record);
    json.line(record);
    full.text(record);
    toText(record, { table: true });
    toRaw(record);
    toData(record);
  }
}

export const PARSERS: readonly Parser[] = [
  ...FORMS.map(from => ({
    name: `decode-${from}`,
    seeds: [...LINES, ...VALUES, ...BYTES],
    run: (text: string) => decode(utf8.encode(text), { from }),
  })),
  {
    name: 'decode-pieces',
    seeds: [...LINES, ...VALUES, ...BYTES],
    run: text => {
      const decoder = createDecoder({ onRecord: () => {} });
      pieces(text, piece => decoder.push(piece));
      decoder.end();
    },
  },
  { name: 'decode-writers', seeds: [...LINES, ...VALUES, ...BYTES], run: written },
  {
    name: 'decode-explain',
    seeds: ['MCi_STATUS.UC', 'W_TEXT_FLAGS', 'BUS_MCEERR_AO', 'poison'],
    run: text =>
      each(
        () => explainCode(text),
        () => explainField(text),
        () => explainRegister(text),
        () => explainMnemonic(text),
        () => explainTerm(text),
      ),
  },
  { name: 'text-linux', seeds: LINES, run: withParser(linuxEvents) },
  { name: 'text-xen', seeds: LINES.filter(line => line.includes('XEN')), run: withParser(xenEvents) },
  { name: 'text-qemu', seeds: LINES.filter(line => /qemu|QEMU/.test(line)), run: withParser(qemuEvents) },
  { name: 'text-hmp', seeds: [...HMP, 'CPU 0: Machine check'], run: hmpOutputEvents },
  {
    name: 'text-qmp',
    seeds: QMP,
    run: text => {
      for (const line of rows(text)) {
        qmpEvent({ event: line });
        each(() => qmpEvent(JSON.parse(line) as { event: string }));
      }
    },
  },
  {
    name: 'text-values',
    seeds: VALUES,
    run: text => {
      for (const line of rows(text)) for (const read of [values, whyNoValues, mceCommand]) read(line);
    },
  },
  {
    name: 'guest-wire',
    seeds: AGENT,
    run: text => {
      for (const line of rows(text)) {
        const parsed = parseLine(line);
        if (parsed !== undefined && 'fields' in parsed) typeFields(parsed.fields, ['virt']);
      }
    },
  },
  {
    name: 'guest-agent',
    seeds: AGENT,
    run: text => {
      const stream = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
      const client = new AgentClient(stream);
      pieces(text, piece => stream.emit('data', Buffer.from(piece)));
      stream.emit('data', Buffer.from('\n'));
      stream.destroy();
      return client.diagnostics;
    },
  },
  {
    name: 'guest-console',
    seeds: LINES,
    run: text => {
      const reader = new ConsoleReader({ onLine: () => {} });
      pieces(text, piece => reader.push(Buffer.from(piece)));
      reader.end();
    },
  },
  {
    name: 'vmm-control',
    seeds: ['{"cmd": "page", "gpa": "0x0000000040000000"}', '{"cmd": "stop"}'],
    run: text => {
      const lines = new ControlLines();
      pieces(text, piece => lines.push(piece).forEach(parseControl));
    },
  },
  {
    name: 'qmp-framing',
    seeds: QMP,
    run: text => {
      const splitter = new LineSplitter(10 << 20);
      pieces(text, piece => Array.from(splitter.push(piece)));
      return [splitter.pendingStart, ...splitter.push(utf8.encode('\n'))];
    },
  },
  {
    name: 'qmp-protocol',
    seeds: QMP,
    run: text => {
      const protocol = new QmpProtocol({ idPrefix: 'a-', greeted: !text.includes('"QMP"') });
      for (let n = 0; n < 4; n++) protocol.submit('stop', undefined);
      protocol.takeSendable();
      pieces(`${text}\n`, piece => Array.from(protocol.receive(piece)));
    },
  },
  { name: 'qmp-hmp', seeds: HMP, run: text => hmpErrorOf('gpa2hpa 0x0', text) },
  {
    name: 'gdb-packets',
    seeds: ['$T05thread:p1.1;#d5', '+$OK#9a', '%Stop:T05#00', '$a*b}c#00'],
    run: text => {
      const reader = new PacketReader();
      pieces(text, piece => Array.from(reader.push(piece)));
    },
  },
  { name: 'gdb-stop', seeds: ['T05thread:p1.1;core:0;', 'W00', 'S02'], run: parseStop },
  { name: 'xml', seeds: [...XML, XML.join('')], run: readXml },
  { name: 'supply-apt', seeds: APT, run: text => classifyApt(text, 'http://m.example/debian') },
  { name: 'supply-uris', seeds: URIS, run: parseUris },
  {
    name: 'supply-sources',
    seeds: SOURCES,
    run: text => {
      chooseMirror([...parseOneLine(text, 'f'), ...parseDeb822(text, 'f')], undefined);
    },
  },
  {
    name: 'supply-versions',
    seeds: ['1:6.1.176-1~bpo12+1', '7.3~rc7-1~exp1', '6.19'],
    run: text => {
      compareDebianVersions(text, `${text}a`);
      parseVersion(text);
      parseKernelQuery(text);
      parseDuration(text);
    },
  },
  {
    name: 'supply-kernels',
    seeds: PACKAGES,
    run: text => {
      const images = imagePackages('amd64');
      const entries = rows(text).filter(name => images.test(name));
      kernelsIn(
        entries.map(name => ({ name, version: name.slice(12), suite: 'sid', bytes: 9_000_000, sha256: '' })),
        'amd64',
      );
    },
  },
  { name: 'lab-scenario', seeds: SCENARIO, run: text => parseScenarios(text, 'x.yaml')[0] },
  {
    name: 'lab-condition',
    seeds: CONDITIONS,
    run: text =>
      each(
        () => parseCondition(text),
        () => parseExpectation(`never: ${text}`),
        () => parseExpectation(text),
      ),
  },
  {
    name: 'lab-pattern',
    seeds: ['(a|a)*$', '((a+))+$', '(a+b?)*$', '(?<name>[^a-z\\d]+|\\bx{2,5})'],
    run: text => {
      for (const source of ['^(a|a)*$', '((a+))+b', '(a+b?)*c', '(?:\\s*=?)*$', '(.*,){9}', '[^x]*y'])
        new Pattern(source).test(text);
      each(
        () => new Pattern(text),
        () => new Pattern(text.slice(0, 200)).test(text),
      );
    },
  },
  {
    name: 'lab-trace',
    seeds: [...TRACE, HEADER],
    run: text =>
      each(
        () => show(HEADER, rows(text)),
        () => show(rows(text)[0] ?? '', rows(text)),
        () => show(JSON.stringify({ type: 'trace', version: TRACE_VERSION, expect: rows(text).slice(0, 100) }), TRACE),
      ),
  },
  {
    name: 'lab-interrupts',
    seeds: [
      '           CPU0       CPU1',
      'MCE:          0          1   Machine check exceptions',
      ' 45:  1 2  xen-dyn -virq mce',
    ],
    run: text => findInterrupt(['', ...rows(text)], 'mce'),
  },
  {
    name: 'cli-arguments',
    seeds: [
      '6.16..7.2',
      'all',
      '6.16,7.2',
      'unix:/run/qmp',
      'tcp:[::1]:4444',
      '1.5s',
      'host,vendor=intel',
      'mce=3 panic=1',
    ],
    run: text =>
      each(
        () => versionsOf('kernel', text, []),
        () => qmpAddress(text),
        () => parseDuration(text),
        () => cpuVendor(text, 'intel'),
        () => cpuSignatureOf(text),
        () => kernelSettings(text),
        () => cpuFeatures(text, 'kvm'),
        () => cpusUp(text, 4),
      ),
  },
  {
    name: 'lab-judge',
    seeds: ['machine check', 'aaaaaaaa', 'x y z', 'a = b = c'],
    run: text => judged(text, PATTERNS, ['count >=2: guest.panic bank>3']),
  },
  { name: 'lab-judge-large', seeds: ['abababab', 'a b'], run: text => judged(text, LARGE), most: 12 },
  { name: 'report-all', seeds: ['machine check', 'a b c', '<a & "b">'], run: reported },
  {
    name: 'common-nearest',
    seeds: ['process.signal', 'page'],
    run: text => didYouMean(text, [...rows(text).slice(0, 50), 'process.signal', 'guest.panic']),
  },
];

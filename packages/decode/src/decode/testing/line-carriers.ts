/** What people carry lines of a log in: chats, pages, mails, terminals, tables, stores of logs. */

const esc = (s: string): string =>
  s.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const each = (lines: readonly string[], f: (line: string, i: number) => string): string =>
  `${lines.map(f).join('\n')}\n`;
const json = (value: unknown): string => `${JSON.stringify(value)}\n`;
const pretty = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
const rows = (line: string, width: number): string[] => line.match(new RegExp(`.{1,${width}}`, 'g')) ?? [''];
const TIME = '2026-11-30T06:30:14.123456789Z';
const hits = (lines: readonly string[]): unknown => ({
  hits: { hits: lines.map(message => ({ _source: { '@timestamp': TIME, message } })) },
});

/** Quoted-printable, RFC 2045 6.7: soft breaks at 76 columns, what is no ASCII, an equals sign and a blank at the end escaped. */
function quoted(line: string): string {
  let out = '';
  let column = 0;
  for (const c of line) {
    const piece =
      c === '=' || c > '~'
        ? Array.from(new TextEncoder().encode(c), b => `=${b.toString(16).toUpperCase().padStart(2, '0')}`).join('')
        : c;
    if (column + piece.length > 75) [out, column] = [`${out}=\r\n`, 0];
    out += piece;
    column += piece.length;
  }
  return out.replace(/ $/, '=20');
}

function utf16(text: string, big: boolean, mark: boolean): Uint8Array {
  const all = mark ? `\ufeff${text}` : text;
  const view = new DataView(new ArrayBuffer(2 * all.length));
  for (let i = 0; i < all.length; i++) view.setUint16(2 * i, all.charCodeAt(i), !big);
  return new Uint8Array(view.buffer);
}

type LineCarrier = (lines: readonly string[]) => string | Uint8Array;

export const LINE_CARRIERS: Readonly<Record<string, LineCarrier>> = {
  'CRLF and LF mixed': l => l.map((line, i) => `${line}${i % 2 === 0 ? '\n' : '\r\n'}`).join(''),
  'far down in a log': l =>
    `${'Nov 30 01:02:03 db1 sshd[1]: Accepted publickey for root\n'.repeat(100)}${each(l, x => x)}`,
  'a code fence': l => `Here it is:\n\`\`\`\n${each(l, x => x)}\`\`\`\n`,
  'a code fence in a list': l => `- item\n  \`\`\`log\n${each(l, x => `  ${x}`)}  \`\`\`\n`,
  'numbers and colons': l => each(l, (x, i) => `${i + 100}: ${x}`),
  'a numbered list': l => each(l, (x, i) => `  ${i + 1}. ${x}`),
  'a list': l => each(l, x => `- ${x}`),
  'cat -n': l => each(l, (x, i) => `${String(i + 100).padStart(6)}\t${x}`),
  'less -N': l => each(l, (x, i) => `${String(i + 100).padStart(7)} ${x}`),
  'grep -n': l => each(l, (x, i) => `/var/log/messages:${i + 1}:${x}`),
  'a quoted mail': l => each(l, x => `>> ${x}`),
  'a quotation in Slack': l => `John Doe  10:23 AM\n${each(l, x => `&gt; ${x}`)}`,
  'colours of a terminal': l => each(l, x => `\u001b[32m${x.slice(0, 14)}\u001b[0m\u001b[1m${x.slice(14)}\u001b[0m`),
  'script(1)': l => `\u001b[?2004h\u001b[01;32mroot@h\u001b[00m:~# dmesg\r\n${l.map(x => `${x}\u001b[K\r\n`).join('')}`,
  'quoted-printable': l =>
    `Content-Transfer-Encoding: quoted-printable\r\n\r\n${l.map(x => `${quoted(x)}\r\n`).join('')}`,
  'HTML, pre': l => `<html><body><pre>\n${each(l, esc)}</pre></body></html>\n`,
  'HTML, br': l => `<p>${l.map(esc).join('<br>\n')}</p>\n`,
  'HTML, br in one line': l => `<div>${l.map(esc).join('<br/>')}</div>\n`,
  'HTML, a span a line': l => each(l, (x, i) => `<span id="L${i + 1}" class="line">${esc(x)}</span>`),
  'HTML, blanks kept': l => `<pre>${each(l, x => esc(x).replaceAll('  ', '&nbsp; '))}</pre>\n`,
  'blanks as a page has them': l => each(l, x => x.replaceAll(' ', '\u00a0')),
  'a table of Markdown': l =>
    `| time | log |\n|---|---|\n${each(l, x => `| x | \`${x.replaceAll('|', String.raw`\|`)}\` |`)}`,
  '80 columns': l =>
    each(
      l.flatMap(x => rows(x, 80)),
      x => x,
    ),
  'a pane with a border': l => each(l, x => `${x.padEnd(200)}│`),
  Docker: l => l.map(x => json({ log: `${x}\n`, stream: 'stdout', time: TIME })).join(''),
  'Docker, of a program that logs JSON': l =>
    l.map(msg => json({ log: json({ level: 'info', ts: TIME, msg }), stream: 'stdout', time: TIME })).join(''),
  'Kubernetes (CRI)': l => each(l, x => `${TIME} stdout F ${x}`),
  'kubectl logs --prefix': l => each(l, x => `[pod/rasdaemon-abcde/main] ${x}`),
  'kubectl logs --timestamps': l => each(l, x => `${TIME} ${x}`),
  Elasticsearch: l => json(hits(l)),
  'Elasticsearch over lines': l => pretty(hits(l)),
  Loki: l => json({ data: { result: [{ stream: { host: 'a' }, values: l.map(x => ['1795167593000000000', x]) }] } }),
  logcli: l => each(l, x => `${TIME} {host="a", job="kernel"} ${x}`),
  'Splunk, JSON': l => l.map(x => json({ preview: false, result: { _raw: x, _time: TIME } })).join(''),
  'Splunk, CSV': l => `"_time","_raw"\n${each(l, x => `"${TIME}","${x.replaceAll('"', '""')}"`)}`,
  'CloudWatch over lines': l => pretty({ events: l.map(message => ({ timestamp: 1_795_167_593_000, message })) }),
  'aws logs tail': l => each(l, x => `2026-11-30T06:30:14.123000+00:00 i-0123456789abcdef0 ${x}`),
  'Cloud Logging': l => pretty(l.map(textPayload => ({ insertId: 'x', textPayload, timestamp: TIME }))),
  'Cloud Logging of journald': l => json(l.map(MESSAGE => ({ jsonPayload: { MESSAGE }, timestamp: TIME }))),
  'journalctl -o verbose': l =>
    each(l, x =>
      [
        'Mon 2026-11-30 06:30:14.123456 UTC [s=6f0a;i=1;b=2;m=3;t=4;x=5]',
        ...Array.from({ length: 20 }, (_, i) => `    _FIELD_${i}=x`),
        `    MESSAGE=${x}`,
        '    _HOSTNAME=db1',
      ].join('\n'),
    ),
  'an event of Windows': l =>
    `<Event><System><Provider Name="x"/></System><EventData><Data>${l.map(esc).join('\n')}</Data></EventData></Event>\n`,
  CSV: l => `time,message\n${each(l, x => `2026-11-30,"${x.replaceAll('"', '""')}"`)}`,
  tabs: l => each(l, x => `2026-11-30\tkernel\t${x}`),
  YAML: l => `log: |\n${each(l, x => `  ${x}`)}`,
  'UTF-16LE with a mark': l => utf16(`${l.join('\r\n')}\r\n`, false, true),
  'UTF-16LE': l => utf16(`${l.join('\r\n')}\r\n`, false, false),
  'UTF-16BE with a mark': l => utf16(`${l.join('\n')}\n`, true, true),
  'UTF-16BE': l => utf16(`${l.join('\n')}\n`, true, false),
};

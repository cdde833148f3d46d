/** @module A report as the files of a static site: an index without a script, and pages that carry the traces. */
import { stringify } from '@syndrome/decode/common/hex.ts';
import { documentOf } from './document.ts';
import { fillTemplate, type PageFile } from './template.ts';
import { matrixHtml } from './view/matrix-html.ts';
import type { Report } from './view/report.ts';
import { reportHtml } from './view/report-html.ts';
import { reportPages } from './view/report-pages.ts';

/** A file of the site. */
interface SiteFile {
  name: string;
  content: string;
}

const STYLE = `
.report { max-width: 1500px; margin: 0 auto; padding: 14px 20px 40px; }
.report h1 { font-size: 24px; }
.report section h1 { font-size: 13.5px; font-weight: 400; }
.report section h2 { font-size: 17px; padding: 4px 0; }
.report section .static { padding: 0; }
.report .report-sum { font-size: 16px; font-weight: 650; padding: 4px 0; }
.report .report-sum .muted { font-weight: 400; font-size: 13px; }
.report a { color: var(--link); }
.report-table { width: 100%; margin: 14px 0 26px; border-collapse: collapse; }
.report-table th, .report-table td { padding: 8px 10px; text-align: left; vertical-align: top; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
.report-table thead th { font-size: 12px; color: var(--muted); border-top: 0; overflow-wrap: normal; }
.report-table tbody th { width: 26%; font-weight: 400; font-size: 12.5px; }
.report-table tbody th a { font-weight: 650; font-size: 14px; }
.report-table td:nth-child(4) { width: 24%; font-size: 12.5px; }
.report-table p + p, .report-table p + pre, .report-table pre + p { margin-top: 4px; }
.report-table pre { margin: 0; padding: 6px 8px; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--lane); border-radius: 6px; }
.report-table .number { white-space: nowrap; text-align: right; font-variant-numeric: tabular-nums; }
.report .matrix-table { margin: 10px 0; }
.report section { overflow-x: auto; }
@media (max-width: 1000px) { .report-table .number { white-space: normal; } }
`;

/** What is kept beside the pages: the report as data, by which the folder is known as one of reports. */
export const REPORT_DATA = 'report.json';

/** Whether a file belongs to a site of a report. */
export const isSiteFile = (name: string): boolean =>
  name === 'index.html' || name === REPORT_DATA || /^runs(?:-\d{1,6})?\.html$/.test(name);

/**
 * The files, one after the other, so that the traces of one page are in memory at a time.
 * @param html the template
 * @param read the bytes of a trace by its name; undefined where it has gone meanwhile
 * @param matrixTexts the texts of the matrices, by their names
 */
export async function* reportSite(
  html: string,
  report: Report,
  read: (name: string) => Promise<Uint8Array | undefined>,
  matrixTexts: ReadonlyMap<string, string>,
): AsyncGenerator<SiteFile> {
  const pages = reportPages(report);
  for (const { file, traces, matrices } of pages) {
    const files: PageFile[] = [];
    if (matrices)
      for (const { name } of report.matrices)
        files.push({ kind: 'matrix', name, bytes: Buffer.from(matrixTexts.get(name) ?? '') });
    for (const name of traces) {
      const bytes = await read(name);
      if (bytes !== undefined) files.push({ kind: 'trace', name, bytes });
    }
    yield { name: file, content: fillTemplate(html, files, matrices ? matrixHtml(report.matrices) : undefined) };
  }
  const styles = [/<style>([^]*?)<\/style>/.exec(html)?.[1] ?? '', STYLE];
  const body = reportHtml(report, pages);
  yield { name: 'index.html', content: documentOf({ title: report.title, styles, images: ['data:'], body }) };
  yield { name: REPORT_DATA, content: `${stringify(report, 2)}\n` };
}

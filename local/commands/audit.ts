import type { AuditReport } from '../../order-service/src/services/auditShop.ts';
import { withHeadless } from '../headless.ts';
import { runCommand } from '../openShop.ts';
import { openAudit } from './openAudit.ts';
import { withProgress } from './progressBar.ts';

/** The report as a table, and below it what is off. */
function tableOf(report: AuditReport): string {
  const rows = report.checks.map(({ check, what, checked, findings }) => [
    findings === 0 ? 'ok' : 'OFF',
    check,
    String(checked),
    String(findings),
    what,
  ]);
  const lines = [['', 'check', 'checked', 'off', 'what'], ...rows];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map(line => line[column]!.length)));
  const table = lines.map(line =>
    line
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  const findings = report.findings.map(({ check, id, detail }) => `${check}  ${id}  ${detail}`);
  const end = report.clean ? 'The books are clean' : `${report.findings.length} findings`;
  return [...table, ...(findings.length > 0 ? ['', ...findings] : []), '', `${end} (${report.durationMs} ms)`].join(
    '\n',
  );
}

await runCommand(shop =>
  withHeadless(shop, ['inventory-service', 'payment-service'], async client => {
    const audit = await openAudit(shop, client);
    const report = await withProgress('commits', onProgress => audit({}, onProgress));
    if (!report.clean) process.exitCode = 1;
    return tableOf(report);
  }),
);

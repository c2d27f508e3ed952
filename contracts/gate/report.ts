import Table from 'cli-table3';
import type { Verdict } from './finding.ts';

const PLAIN = { head: [], border: [] };

/** Who × what × verdict, and below it each failure: the field, who needs it, and what to do. */
export function asTable(verdicts: readonly Verdict[]): string {
  const table = new Table({ head: ['WHO', 'WHAT', 'LOOKED AT', 'VERDICT', 'MS'], style: PLAIN });
  for (const { who, what, looked, findings, tookMs } of verdicts) {
    table.push([who, what, looked, findings.length === 0 ? 'ok' : `BROKEN (${findings.length})`, tookMs]);
  }
  const failures = verdicts.flatMap(({ findings }) => findings);
  const list = failures.map(({ consumer, place, field, what, remedy }, at) =>
    [
      `${at + 1}. ${place}: ${field}`,
      `   needed by  ${consumer}`,
      `   found      ${what}`,
      `   do         ${remedy}`,
    ].join('\n'),
  );
  return [table.toString(), ...list].join('\n');
}

/** The same as JUnit XML: a suite for each consumer, a case for each check. */
export function asJunit(verdicts: readonly Verdict[]): string {
  const suites = Map.groupBy(verdicts, ({ who }) => who);
  const lines = [...suites].map(([who, cases]) => {
    const failures = cases.filter(({ findings }) => findings.length > 0).length;
    return [
      `  <testsuite name="${escaped(who)}" tests="${cases.length}" failures="${failures}">`,
      ...cases.map(caseOf),
      '  </testsuite>',
    ].join('\n');
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites name="contracts">',
    ...lines,
    '</testsuites>',
    '',
  ].join('\n');
}

function caseOf({ who, what, findings, tookMs }: Verdict): string {
  const head = `    <testcase classname="${escaped(who)}" name="${escaped(what)}" time="${(tookMs / 1_000).toFixed(3)}"`;
  if (findings.length === 0) return `${head}/>`;
  const failures = findings.map(({ consumer, place, field, what: found, remedy }) => {
    const message = `${place}: ${field}, needed by ${consumer}`;
    return `      <failure message="${escaped(message)}">${escaped(`${found}\n${remedy}`)}</failure>`;
  });
  return [`${head}>`, ...failures, '    </testcase>'].join('\n');
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? character).replaceAll(/[^\P{Cc}\n\t]/gu, ' ');
}

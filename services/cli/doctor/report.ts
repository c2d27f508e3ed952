import colors from 'picocolors';
import { CliError, EXIT } from '../terminal/errors.ts';
import type { Output } from '../terminal/output.ts';
import { type Finding, isHealthy, type Verdict } from './finding.ts';

const MARKS: Readonly<Record<Verdict, string>> = {
  ok: colors.green('ok'),
  warning: colors.yellow('warning'),
  fault: colors.red('FAULT'),
  skipped: colors.dim('skipped'),
};

/** Prints each finding as it comes, and all of them as one document. @throws CliError when one of them is a fault */
export async function report(out: Output, diagnosis: AsyncIterable<Finding>): Promise<void> {
  const findings: Finding[] = [];
  for await (const finding of diagnosis) {
    findings.push(finding);
    print(out, finding);
  }
  const faults = findings.filter(({ verdict }) => verdict === 'fault').length;
  const healthy = isHealthy(findings);
  out.document({
    healthy,
    findings: findings.map((finding) => ({ ...finding, tookMs: Math.round(finding.tookMs) })),
  });
  out.say('');
  if (healthy) out.say(colors.green('healthy'));
  else throw new CliError(EXIT.failed, `${faults} ${faults === 1 ? 'thing is' : 'things are'} wrong; see above`);
}

function print(out: Output, { step, verdict, found, meaning, next }: Finding): void {
  out.say(`${MARKS[verdict].padEnd(10)} ${colors.bold(step)}  ${found}`);
  if (meaning !== '') out.say(`           ${meaning}`);
  if (next !== '') out.say(`           → ${next}`);
}

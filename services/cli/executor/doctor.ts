import type { Command } from 'commander';
import type { Credentials } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import type { Cli } from '../cli.ts';
import { type Finding, skipped } from '../doctor/finding.ts';
import { report } from '../doctor/report.ts';
import type { LinkAnswer } from '../executor-doctor/ask.ts';
import { credentialsFile } from '../executor-doctor/credentials-file.ts';
import { identityFindings } from '../executor-doctor/identity.ts';
import type { Way } from '../executor-doctor/link.ts';

/** `executor doctor`: the agent's side, from the agent's machine; a running agent is not disturbed. */
export function registerExecutorDoctor(parent: Command, cli: Cli): void {
  parent
    .command('doctor')
    .description('on the agent’s machine: look at everything between it and the platform, and say what to do')
    .requiredOption('--credentials <file>', 'as written by executor create --out')
    .action((options: { credentials: string }, command: Command) =>
      report(cli.output(command), diagnosis(options.credentials)),
    );
}

async function* diagnosis(file: string): AsyncGenerator<Finding> {
  const { finding, credentials } = await credentialsFile(file);
  yield finding;
  if (credentials === undefined) return;
  // Only this command speaks gRPC.
  const { fallbackWay, linkWay } = await import('../executor-doctor/link.ts');
  const fallback = await fallbackWay(credentials);
  const links = await Promise.all(
    credentials.linkUrls.map((url) => linkWay(url, credentials, isAnswer(fallback.answer))),
  );
  const someLinkWorks = links.some(works);
  for (const way of links) yield* someLinkWorks && !works(way) ? way.findings.map(milder) : way.findings;
  yield* someLinkWorks ? fallback.findings.map(milder) : fallback.findings;
  yield* identity(credentials, file, [...links, fallback]);
}

/** From the first way on which the platform said whom it sees. */
function identity(credentials: Credentials, file: string, ways: readonly Way[]): Finding[] {
  const answer = ways.map((way) => way.answer).find((candidate) => isAnswer(candidate));
  if (answer !== undefined) return identityFindings(credentials, file, answer);
  return [skipped('credential', 'the platform could not be asked on any way')];
}

function isAnswer(
  answer: LinkAnswer | undefined,
): answer is Extract<LinkAnswer, { readonly kind: 'answered' | 'refused' }> {
  return answer?.kind === 'answered' || answer?.kind === 'refused';
}

/** An agent could hold a stream there, but for its credential. */
function works({ findings }: Way): boolean {
  return findings.every(({ verdict }) => verdict !== 'fault');
}

/** Agents try their addresses in turn: what is wrong with one does no harm while another works. */
function milder(finding: Finding): Finding {
  return finding.verdict === 'fault' ? { ...finding, verdict: 'warning' } : finding;
}

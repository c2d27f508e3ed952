import type { Credentials } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { messageOf } from '../../platform/errors.ts';
import { type Finding, ill, isHealthy, skipped, timed, well } from '../doctor/finding.ts';
import { networkFindings, targetOf } from '../doctor/network.ts';
import { askGateway, askLink, type LinkAnswer, streamFault } from './ask.ts';
import { answerToPreface, type PrefaceAnswer } from './preface.ts';

/** What was found on one way to the platform, and the platform's answer where there was one. */
export interface Way {
  readonly findings: readonly Finding[];
  readonly answer?: LinkAnswer;
}

const CORRECT = 'correct linkUrls in the credentials file (the command service gives out STRATEGOS_LINK_URLS)';
const CORRECT_GATEWAY =
  'correct gatewayUrl in the credentials file (the command service gives out STRATEGOS_GATEWAY_URL)';

/** The fallback: the gateway, as JSON over HTTP/1.1. */
export async function fallbackWay(credentials: Credentials): Promise<Way> {
  const { gatewayUrl } = credentials;
  if (gatewayUrl === '') return { findings: [skipped('fallback', 'the credentials file names no gateway')] };
  const name = placeOf(gatewayUrl);
  const network = await networkFindings(gatewayUrl, {
    step: (part) => `fallback.${part}:${name}`,
    correct: CORRECT_GATEWAY,
  });
  if (!isHealthy(network)) return { findings: network };
  const step = `fallback.http1:${name}`;
  const { value: answer, tookMs } = await timed(() => askGateway(gatewayUrl, credentials));
  if (answer.kind === 'answered' || answer.kind === 'refused') {
    return { findings: [...network, well(step, 'the gateway answers over HTTP/1.1: polling works', tookMs)], answer };
  }
  const stranger = answer.kind === 'stranger';
  const words = {
    found: stranger ? `what answers is no gateway: ${answer.sentence}` : `the gateway cannot serve: ${answer.sentence}`,
    meaning: 'the agent has no way round while its stream cannot be had',
    next: stranger ? CORRECT_GATEWAY : 'on the platform: strategos doctor',
  };
  return { findings: [...network, ill(step, 'fault', words, tookMs)], answer };
}

/** One address of the executor port, from the name to a stream. `fallbackWorks`: an agent can poll in place of a stream. */
export async function linkWay(url: string, credentials: Credentials, fallbackWorks: boolean): Promise<Way> {
  const name = placeOf(url);
  const network = await networkFindings(url, { step: (part) => `link.${part}:${name}`, correct: CORRECT });
  if (!isHealthy(network)) return { findings: network };
  const http2 = await http2Finding(url, `link.http2:${name}`, fallbackWorks);
  if (http2.verdict === 'fault') return { findings: [...network, http2] };
  const { value: answer, tookMs } = await timed(() => askLink(url, credentials));
  const port = portFinding(`link.port:${name}`, answer, tookMs);
  const before = [...network, http2, port];
  if (answer.kind !== 'answered') return { findings: before, answer };
  return { findings: [...before, await streamFinding(url, `link.stream:${name}`, credentials)], answer };
}

async function http2Finding(url: string, step: string, fallbackWorks: boolean): Promise<Finding> {
  const startMs = performance.now();
  const answer = await answerToPreface(url).catch(
    (thrown: unknown): PrefaceAnswer => ({ kind: 'blocked', why: messageOf(thrown) }),
  );
  const tookMs = performance.now() - startMs;
  if (answer.kind === 'http2') return well(step, 'HTTP/2 gets through', tookMs);
  const words = {
    found: `HTTP/2 does not get through: ${answer.why}`,
    meaning: fallbackWorks
      ? 'a proxy or a firewall between lets only HTTP/1.1 pass, or the address is another server’s; the fallback works: the agent polls the gateway'
      : 'a proxy or a firewall between lets only HTTP/1.1 pass, or the address is another server’s; the fallback does not work either',
    next: `let connections to ${placeOf(url)} pass unchanged; or ${CORRECT}`,
  };
  return ill(step, 'fault', words, tookMs);
}

function portFinding(step: string, answer: LinkAnswer, tookMs: number): Finding {
  if (answer.kind === 'answered' || answer.kind === 'refused') return well(step, 'the executor port answers', tookMs);
  if (answer.kind === 'stranger') return ill(step, 'fault', wrongUrl(answer.sentence), tookMs);
  const words = {
    found: `the executor port cannot serve: ${answer.sentence}`,
    meaning: 'the platform, or what it rests on, is away; the agent tries again by itself',
    next: 'on the platform: strategos doctor',
  };
  return ill(step, 'fault', words, tookMs);
}

async function streamFinding(url: string, step: string, credentials: Credentials): Promise<Finding> {
  const { value: fault, tookMs } = await timed(() => streamFault(url, credentials));
  if (fault === undefined) return well(step, 'a stream gets through to the executor port', tookMs);
  return ill(step, 'fault', wrongUrl(fault), tookMs);
}

function wrongUrl(sentence: string) {
  return {
    found: `what answers is not the executor port: ${sentence}`,
    meaning: 'the URL is wrong: it leads to another port of the platform, or to another server',
    next: CORRECT,
  };
}

function placeOf(url: string): string {
  const { host, port } = targetOf(url);
  return `${host}:${port}`;
}

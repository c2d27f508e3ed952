import { durationMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { Role } from '../../../proto/gen/strategos/access/v1/access_service_pb.js';
import { Verdict as ProtoVerdict } from '../../../proto/gen/strategos/diagnostics/v1/diagnostics_service_pb.js';
import { messageOf } from '../../platform/errors.ts';
import { reasonOf } from '../../platform/grpc/status.ts';
import type { Clients } from '../client.ts';
import { valueName } from '../terminal/value-name.ts';
import { type Finding, ill, skipped, timed, type Verdict, well } from './finding.ts';

const READY_MS_MAX = 4_000;
const DIAGNOSE_MS_MAX = 15_000;

const VERDICTS: Readonly<Record<number, Verdict>> = {
  [ProtoVerdict.OK]: 'ok',
  [ProtoVerdict.WARNING]: 'warning',
  [ProtoVerdict.FAULT]: 'fault',
  [ProtoVerdict.SKIPPED]: 'skipped',
};

/** Whether what answers is a gateway, and what it says about what it rests on; asked without a token. */
export async function gatewayFinding(url: string, answerMsMax = READY_MS_MAX): Promise<Finding> {
  const startMs = performance.now();
  try {
    const { value, tookMs } = await timed(async () => {
      const response = await fetch(new URL('/readyz', url), { signal: AbortSignal.timeout(answerMsMax) });
      const answer: unknown = await response.json();
      return answer;
    });
    if (typeof value !== 'object' || value === null || !('ready' in value) || !('dependencies' in value)) {
      throw new Error('its /readyz is not that of a gateway');
    }
    const states = Object.entries(Object(value.dependencies));
    if (value.ready === true) return well('gateway', 'ready', tookMs);
    const away = states.filter(([, state]) => state !== 'up').map(([name]) => name);
    const words = {
      found: `the gateway runs and cannot reach ${away.join(' and ') || 'what it rests on'}`,
      meaning: 'calls are answered UNAVAILABLE until it is back; nothing that was accepted is lost',
      next: `start ${away.join(' and ') || 'it'} again; the gateway reconnects by itself`,
    };
    return ill('gateway', 'fault', words, tookMs);
  } catch (thrown) {
    const isSilent = thrown instanceof DOMException && thrown.name === 'TimeoutError';
    const words = isSilent ? silentWords(url, answerMsMax) : strangeWords(url, messageOf(thrown));
    return ill('gateway', 'fault', words, performance.now() - startMs);
  }
}

function silentWords(url: string, answerMsMax: number) {
  return {
    found: `what listens at ${url} takes connections and has not answered within ${answerMsMax} ms`,
    meaning: 'the gateway stands still or has too much to do; executors on streams go on without it',
    next: 'look at its log and at the load of its machine; where its process stands still, end it and start it again',
  };
}

function strangeWords(url: string, reason: string) {
  return {
    found: `what answers at ${url} is no gateway: ${reason}`,
    meaning: 'the address or the port is another service’s',
    next: 'name the gateway with --url or STRATEGOS_URL; strategos up prints its address',
  };
}

/** Whether the token is taken, and whose it is. */
export async function tokenFinding(clients: Clients): Promise<Finding> {
  const startMs = performance.now();
  try {
    const { value, tookMs } = await timed(() => clients.access.whoAmI({}));
    const role = valueName(Role, value.token?.role ?? Role.UNSPECIFIED).toLowerCase();
    return well('token', `${value.token?.name}, ${role} of account ${value.token?.accountId}`, tookMs);
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    const tookMs = performance.now() - startMs;
    if (error.code !== Code.Unauthenticated) {
      const words = {
        found: `the token could not be checked: ${error.rawMessage}`,
        meaning: 'tokens are kept in PostgreSQL',
        next: 'see the findings about the gateway and PostgreSQL',
      };
      return ill('token', 'fault', words, tookMs);
    }
    const revoked = reasonOf(error) === 'CREDENTIAL_REVOKED';
    const words = {
      found: revoked ? 'the token was revoked' : `the token is wrong: ${error.rawMessage}`,
      meaning: revoked ? 'somebody ended it on purpose' : 'it is another platform’s, or was not copied whole',
      next: revoked
        ? 'ask an admin for another (strategos token create NAME --role operator)'
        : 'set STRATEGOS_TOKEN or --token; when every token is lost: strategos token recover',
    };
    return ill('token', 'fault', words, tookMs);
  }
}

/** What the gateway finds when it looks at Postgres, NATS and the services. */
export async function insideFindings(clients: Clients): Promise<Finding[]> {
  try {
    const { checks } = await clients.diagnostics.diagnose({}, { timeoutMs: DIAGNOSE_MS_MAX });
    return checks.map(({ name, verdict, found, meaning, remedy, took }) => ({
      step: name,
      verdict: VERDICTS[verdict] ?? 'fault',
      found,
      meaning,
      next: remedy,
      tookMs: took === undefined ? 0 : durationMs(took),
    }));
  } catch (thrown) {
    return [skipped('inside', `the gateway could not be asked to look at itself: ${messageOf(thrown)}`)];
  }
}

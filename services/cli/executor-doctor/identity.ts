import { timestampMs } from '@bufbuild/protobuf/wkt';
import { ContractVerdict } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { Credentials } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { clockFinding } from '../doctor/clock.ts';
import { type Finding, ill, skipped, well } from '../doctor/finding.ts';
import type { LinkAnswer } from './ask.ts';

type Answered = Extract<LinkAnswer, { readonly kind: 'answered' }>;
type Refused = Extract<LinkAnswer, { readonly kind: 'refused' }>;

const ENDS_SOON_MS = 30 * 86_400_000;
const ROTATE = 'strategos executor rotate NAME --out FILE, then carry the file to this machine';

/** Whose credential it is, and what the platform makes of this agent; from the first way on which it answered. */
export function identityFindings(credentials: Credentials, file: string, answer: Answered | Refused): Finding[] {
  if (answer.kind === 'refused') return [refusal(credentials, answer)];
  const { response, offsetMs } = answer;
  const { executorName, accountId } = response;
  return [
    well('credential', `key ${credentials.keyId} is that of executor ${executorName} of account ${accountId}`, 0),
    accountFinding(credentials, response),
    clockFinding('clock', offsetMs, 0, 'there and back'),
    contractFinding(response),
    connectionFinding(response, file),
  ];
}

function refusal({ keyId }: Credentials, { reason, sentence }: Refused): Finding {
  switch (reason) {
    case 'CREDENTIAL_REVOKED': {
      const meaning = 'somebody rotated or ended it on purpose; another file holds the one that is valid';
      return ill('credential', 'fault', { found: `key ${keyId} was revoked: ${sentence}`, meaning, next: ROTATE }, 0);
    }
    case 'EXECUTOR_DISABLED': {
      const meaning = 'an operator disabled the executor for good; its agent is not let in any more';
      const next = 'strategos executor create NAME --out FILE, for another one';
      return ill('credential', 'fault', { found: sentence, meaning, next }, 0);
    }
    default: {
      const meaning = 'the file is another platform’s, was not copied whole, or was changed by hand';
      return ill('credential', 'fault', { found: `the key is wrong: ${sentence}`, meaning, next: ROTATE }, 0);
    }
  }
}

/** The file says whose it is, and the platform knows whose key it holds: both must be the same. */
function accountFinding(file: Credentials, { executorId, executorName, accountId }: Answered['response']): Finding {
  const differing = [
    ['account', file.accountId, accountId],
    ['executor', file.executorName, executorName],
    ['executor id', file.executorId, executorId],
  ].filter(([, inFile, known]) => inFile !== '' && inFile !== known);
  if (differing.length === 0) return well('account', `${executorName} of account ${accountId}, as the file says`, 0);
  const words = {
    found: differing
      .map(([what, inFile, known]) => `the file says ${what} ${inFile}, the platform ${known}`)
      .join('; '),
    meaning:
      'the key belongs to somebody else than the file says: this agent would carry out commands meant for another',
    next: 'do not start the agent; make a file of its own: strategos executor rotate NAME --out FILE',
  };
  return ill('account', 'fault', words, 0);
}

function contractFinding(response: Answered['response']): Finding {
  const { contractVerdict, platformVersion, servedVersions, supportedUntilTime } = response;
  const install = `install version ${servedVersions.join(' or ')} on this machine`;
  const untilMs = supportedUntilTime === undefined ? undefined : timestampMs(supportedUntilTime);
  const until = untilMs === undefined ? '' : new Date(untilMs - 1).toISOString().slice(0, 10);
  switch (contractVerdict) {
    case ContractVerdict.CURRENT:
      return well('contract', `the agent here speaks the platform's own wire format (${platformVersion})`, 0);
    case ContractVerdict.SUPPORTED: {
      const found = `the agent here speaks an older wire format, supported until ${until}`;
      if (untilMs === undefined || untilMs - Date.now() > ENDS_SOON_MS) return well('contract', found, 0);
      return ill('contract', 'warning', { found, meaning: 'after that day it is not let in', next: install }, 0);
    }
    case ContractVerdict.ENDED:
    case ContractVerdict.UNKNOWN: {
      const ended = contractVerdict === ContractVerdict.ENDED;
      const words = {
        found: ended
          ? `this version is unsupported: its wire format was supported until ${until}`
          : 'this version is unsupported: the platform knows its wire format from no release',
        meaning: `the platform (${platformVersion}) lets no agent in that may misunderstand it`,
        next: install,
      };
      return ill('contract', 'fault', words, 0);
    }
    default:
      return skipped('contract', 'the platform gives no verdict on the wire format');
  }
}

function connectionFinding({ connected, streamEpoch, host }: Answered['response'], file: string): Finding {
  if (connected)
    return well('connection', `an agent on ${host || 'an unnamed machine'} is connected, epoch ${streamEpoch}`, 0);
  const words = {
    found:
      streamEpoch === 0n
        ? 'no agent has ever connected with this key'
        : `no agent is connected; the last was on ${host}`,
    meaning: 'commands wait until one is',
    next: `strategos executor run --credentials ${file}`,
  };
  return ill('connection', 'warning', words, 0);
}

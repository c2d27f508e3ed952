import type { Refusal } from '../../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { Mark } from '../../parts/mark.tsx';
import { When } from '../../parts/moment.tsx';

/** Why somebody who called for the executor was not let in; marked while that is why it is not connected. */
export function LastRefusal({ refusal }: { readonly refusal: Refusal | undefined }) {
  if (refusal === undefined) return 'none';
  const { current, credentialProven, message, remedy, sinceTime, time } = refusal;
  const who = credentialProven ? 'its agent' : 'somebody with its key';
  return (
    <>
      {current ? <Mark tone="bad">refused</Mark> : 'refused'} {who}, since <When time={sinceTime} />, last{' '}
      <When time={time} />: {message}
      {current && `; to do: ${remedy}`}
    </>
  );
}

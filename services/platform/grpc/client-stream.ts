import { type DescMessage, fromBinary, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { status } from '@grpc/grpc-js';
import { AsyncQueue } from '../async-queue.ts';
import { messageOf } from '../errors.ts';
import type { Peer } from './channel.ts';
import { type CallStart, cancelWith, endError, headersOf } from './client-call.ts';
import { headerPairs } from './metadata.ts';
import { StreamSender } from './stream-sender.ts';

/** Answers read ahead of the consumer. */
const ANSWERS_BUFFERED_MAX = 64;

/** A stream whose peer has answered with its header. The trailer is filled when the answers have ended. */
export interface StreamOutcome<O extends DescMessage> {
  readonly header: Headers;
  readonly answers: AsyncIterable<MessageShape<O>>;
  readonly trailer: Headers;
}

/**
 * Opens a stream and sends `input` through it as fast as the peer takes it. Resolves with the peer's header; rejects when
 * the call ends in an error before that. When the consumer of the answers leaves, the call is cancelled.
 */
export function callStream<I extends DescMessage, O extends DescMessage>(
  peer: Peer,
  start: CallStart,
  schemas: { readonly input: I; readonly output: O },
  input: AsyncIterable<MessageInitShape<I>>,
): Promise<StreamOutcome<O>> {
  return new Promise((resolve, reject) => {
    const call = peer.channel.createCall(start.path, start.deadlineMs, null, null, null);
    const release = cancelWith(call, start.signal);
    const sender = new StreamSender(call, schemas.input);
    const trailer = new Headers();
    let reading = false;
    let over = false;
    /** Why this side gave up, when it did. */
    let ownError: unknown;
    const giveUp = (error: unknown): void => {
      if (over) return;
      ownError ??= error;
      call.cancelWithStatus(status.CANCELLED, 'given up by the caller');
    };
    const answers = new AsyncQueue<MessageShape<O>>({
      itemsMax: ANSWERS_BUFFERED_MAX,
      onTake: () => {
        if (answers.open) read();
        else giveUp(new ConnectError('the reader of the answers has left', Code.Canceled));
      },
    });
    const read = (): void => {
      if (reading || over || answers.size >= ANSWERS_BUFFERED_MAX) return;
      reading = true;
      call.startRead();
    };
    call.start(start.metadata, {
      onReceiveMetadata: (metadata) => resolve({ header: headersOf(metadata), answers, trailer }),
      onReceiveMessage: (bytes: Buffer) => {
        reading = false;
        try {
          answers.push(fromBinary(schemas.output, bytes));
          read();
        } catch (thrown) {
          const { typeName } = schemas.output;
          giveUp(new ConnectError(`${peer.url} sent what is not a ${typeName}: ${messageOf(thrown)}`, Code.Internal));
        }
      },
      onReceiveStatus: (end) => {
        release();
        over = true;
        for (const [key, value] of headerPairs(end.metadata)) trailer.append(key, value);
        if (ownError === undefined && end.code === status.OK) {
          answers.end();
          resolve({ header: new Headers(), answers, trailer });
        } else {
          const error = ownError ?? endError(end, peer, start.signal);
          answers.fail(error);
          reject(error);
        }
        sender.stop().catch((thrown: unknown) => {
          // The input's clean-up failed after the call was over: nobody waits for it any more.
          process.emitWarning(`the input of ${start.path} failed after the call: ${messageOf(thrown)}`);
        });
      },
    });
    read();
    sender.send(input).catch(giveUp);
  });
}

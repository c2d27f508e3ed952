import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { type Client, createClient } from '@connectrpc/connect';
import {
  type ConnectRequestSchema,
  type ConnectResponse,
  ExecutorLinkService,
  HelloSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { Credentials } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import type { VenueEventSchema } from '../../proto/gen/strategos/command/v1/venue_event_pb.js';
import { AsyncQueue } from '../../services/platform/async-queue.ts';
import { createGrpcTransport, type GrpcTransport } from '../../services/platform/grpc/transport.ts';
import { OWN_DIGEST } from './own-contract.ts';
import { until } from './until.ts';

type RequestInit = MessageInitShape<typeof ConnectRequestSchema>;
type EventInit = MessageInitShape<typeof VenueEventSchema>;

/** An agent that says on its link what a test tells it to say, venue events above all. */
export class VenueAgent implements AsyncDisposable {
  readonly heard: ConnectResponse[] = [];
  readonly #transport: GrpcTransport;
  readonly #client: Client<typeof ExecutorLinkService>;
  readonly #outgoing = new AsyncQueue<RequestInit>({ itemsMax: 10_000 });
  readonly #over = new AbortController();
  readonly #hello;
  #reading: Promise<unknown> | undefined;

  constructor(linkUrl: string, { keyId, secret }: Credentials, journalId: string) {
    this.#transport = createGrpcTransport({
      urls: [linkUrl],
      ownConnection: true,
      headers: () => ({ authorization: `Bearer ${keyId}.${secret}` }),
    });
    this.#client = createClient(ExecutorLinkService, this.#transport);
    this.#hello = create(HelloSchema, {
      journalId,
      inFlightMax: 10,
      kinds: ['ping'],
      contractDigest: OWN_DIGEST,
      takesPrices: true,
    });
  }

  /** Opens the stream; resolves with its Welcome. */
  async connect(): Promise<void> {
    this.say({ case: 'hello', value: this.#hello });
    const read = async (): Promise<void> => {
      const answers = this.#client.connect(this.#outgoing, { signal: this.#over.signal });
      for await (const frame of answers) this.heard.push(frame);
    };
    // The link ends when the test ends it.
    this.#reading = read().catch((thrown: unknown) => thrown);
    await until(() => this.heard.some(({ frame }) => frame.case === 'welcome'), 'a welcome came');
  }

  /** One conversation without a stream: polls once, reports the events, and returns the acknowledged numbers. */
  async report(events: readonly EventInit[]): Promise<readonly bigint[]> {
    const { frames } = await this.#client.pollCommands({ hello: this.#hello });
    const [welcome] = frames.flatMap(({ frame }) => (frame.case === 'welcome' ? [frame.value] : []));
    const { venueEventsAcknowledged } = await this.#client.reportEvents({
      streamEpoch: welcome?.streamEpoch ?? 0n,
      venueEvents: { events: [...events] },
    });
    return venueEventsAcknowledged?.numbers ?? [];
  }

  say(frame: NonNullable<RequestInit['frame']>): void {
    this.#outgoing.push({ frame });
  }

  tell(events: readonly EventInit[]): void {
    this.say({ case: 'venueEvents', value: { events: [...events] } });
  }

  /** Numbers of one journal that were acknowledged, in order. */
  acknowledged(journalId: string): bigint[] {
    return this.heard.flatMap(({ frame }) =>
      frame.case === 'venueEventsAcknowledged' && frame.value.journalId === journalId ? frame.value.numbers : [],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#outgoing.end();
    this.#over.abort(new Error('the test is over'));
    await this.#reading;
    this.#transport.close();
  }
}

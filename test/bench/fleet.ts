import { create } from '@bufbuild/protobuf';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import {
  type ConnectRequest,
  ConnectRequestSchema,
  EventBatchSchema,
  type ExecutorEvent,
  ExecutorEventSchema,
  ExecutorLinkService,
  FinishedSchema,
  ReceivedSchema,
  StartedSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { AsyncQueue } from '../../services/platform/async-queue.ts';
import { createGrpcTransport } from '../../services/platform/grpc/transport.ts';
import { KIND_NAMES } from './kinds.ts';
import { OWN_DIGEST } from '../harness/own-contract.ts';

/** A credential as CreateExecutor gives it. */
export interface FleetCredential {
  readonly keyId: string;
  readonly secret: string;
}

/** What every answer says; made once. */
const ANSWER: readonly ExecutorEvent['event'][] = [
  { case: 'received', value: create(ReceivedSchema) },
  { case: 'started', value: create(StartedSchema) },
  { case: 'finished', value: create(FinishedSchema, { state: CommandState.SUCCEEDED }) },
];

const FRAMES_QUEUED_MAX = 10_000;
const IN_FLIGHT_MAX = 1_000;

/**
 * Connected executors without an adapter: each answers every delivery with its receipt, its start and its result over the
 * real stream, and checks that no command comes twice. They share a process so that a machine can hold thousands; their
 * journal is memory, because what is measured is the platform.
 */
export class Fleet {
  readonly members: FleetMember[] = [];
  readonly #onAcknowledged: (count: number) => void;

  constructor(onAcknowledged: (count: number) => void = () => undefined) {
    this.#onAcknowledged = onAcknowledged;
  }

  /** Connects one executor a credential; resolves when all are welcome. */
  async connect(linkUrl: string, credentials: readonly FleetCredential[], atOnceMax = 200): Promise<void> {
    const waiting = [...credentials];
    const connectNext = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const member = new FleetMember(linkUrl, next, this.#onAcknowledged);
        this.members.push(member);
        await member.welcomed;
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnceMax, credentials.length) }, connectNext));
  }

  get received(): number {
    return this.members.reduce((sum, member) => sum + member.received.size, 0);
  }

  get duplicates(): number {
    return this.members.reduce((sum, member) => sum + member.duplicates, 0);
  }

  close(): void {
    for (const member of this.members.splice(0)) member.close();
  }
}

/** One executor on its own connection; connects again when it is cut. */
export class FleetMember {
  readonly received = new Set<string>();
  duplicates = 0;
  readonly welcomed: Promise<void>;
  readonly #transport: ReturnType<typeof createGrpcTransport>;
  readonly #journalId = crypto.randomUUID();
  readonly #onAcknowledged: (count: number) => void;
  readonly #abort = new AbortController();
  #welcome: () => void = () => undefined;
  #output: AsyncQueue<ConnectRequest> | undefined;

  constructor(linkUrl: string, credential: FleetCredential, onAcknowledged: (count: number) => void) {
    this.#onAcknowledged = onAcknowledged;
    this.#transport = createGrpcTransport({
      urls: [linkUrl],
      ownConnection: true,
      headers: () => ({ authorization: `Bearer ${credential.keyId}.${credential.secret}` }),
    });
    this.welcomed = new Promise((resolve) => {
      this.#welcome = resolve;
    });
    void this.#run();
  }

  close(): void {
    this.#abort.abort();
    this.#output?.end();
    this.#transport.close();
  }

  async #run(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      const output = new AsyncQueue<ConnectRequest>({ itemsMax: FRAMES_QUEUED_MAX });
      this.#output = output;
      output.push(
        create(ConnectRequestSchema, {
          frame: {
            case: 'hello',
            value: {
              journalId: this.#journalId,
              agentVersion: 'bench',
              contractDigest: OWN_DIGEST,
              kinds: KIND_NAMES,
              inFlightMax: IN_FLIGHT_MAX,
              host: 'bench',
            },
          },
        }),
      );
      try {
        // The transport itself: a client's wrappers about each message cost more than the message.
        const { connect } = ExecutorLinkService.method;
        const { message } = await this.#transport.stream(connect, this.#abort.signal, undefined, undefined, output);
        for await (const { frame } of message) {
          switch (frame.case) {
            case 'welcome':
              this.#welcome();
              break;
            case 'commands':
              this.#answer(output, frame.value.commands);
              break;
            case 'eventsAcknowledged':
              this.#onAcknowledged(frame.value.commandIds.length);
              break;
            case 'heartbeat':
              output.push(
                create(ConnectRequestSchema, {
                  frame: { case: 'heartbeatReply', value: { number: frame.value.number } },
                }),
              );
              break;
            default:
              break;
          }
        }
      } catch {
        // The service may be killed on purpose: the executor comes back, as a real one does.
        if (this.#abort.signal.aborted) return;
        await new Promise<void>((resolve) => setTimeout(resolve, 100 + Math.random() * 400));
      }
    }
  }

  #answer(output: AsyncQueue<ConnectRequest>, commands: readonly { commandId: string; attempt: number }[]): void {
    const batch = create(EventBatchSchema);
    for (const { commandId, attempt } of commands) {
      if (this.received.has(commandId)) this.duplicates += 1;
      this.received.add(commandId);
      for (const event of ANSWER) {
        const said = create(ExecutorEventSchema);
        said.commandId = commandId;
        said.attempt = attempt;
        said.event = event;
        batch.events.push(said);
      }
    }
    output.push(create(ConnectRequestSchema, { frame: { case: 'events', value: batch } }));
  }
}

import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  ConnectRequestSchema,
  ConnectResponseSchema,
  ExecutorLinkService,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { pathOf } from '../../services/platform/grpc/endpoint.ts';
import { OWN_DIGEST } from '../harness/own-contract.ts';
import { KIND_NAMES } from './kinds.ts';
import { answerFrame, type LightDelivery, readFrame } from './light-frames.ts';
import { LightLink } from './light-link.ts';

/** A credential as CreateExecutor gives it. */
export interface FleetCredential {
  readonly keyId: string;
  readonly secret: string;
}

const PATH = pathOf(ExecutorLinkService.method.connect);
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
  readonly #linkUrl: string;
  readonly #credential: FleetCredential;
  readonly #journalId = crypto.randomUUID();
  readonly #onAcknowledged: (count: number) => void;
  #welcome: () => void = () => undefined;
  #link: LightLink | undefined;
  #closed = false;

  constructor(linkUrl: string, credential: FleetCredential, onAcknowledged: (count: number) => void) {
    this.#linkUrl = linkUrl;
    this.#credential = credential;
    this.#onAcknowledged = onAcknowledged;
    this.welcomed = new Promise((resolve) => {
      this.#welcome = resolve;
    });
    this.#connect();
  }

  close(): void {
    this.#closed = true;
    this.#link?.close();
  }

  #connect(): void {
    const { keyId, secret } = this.#credential;
    const headers = { authorization: `Bearer ${keyId}.${secret}` };
    const link = new LightLink(this.#linkUrl, PATH, headers, {
      onMessage: (body) => this.#take(link, body),
      onEnd: () => this.#comeBack(),
    });
    const hello = {
      journalId: this.#journalId,
      agentVersion: 'bench',
      contractDigest: OWN_DIGEST,
      kinds: KIND_NAMES,
      inFlightMax: IN_FLIGHT_MAX,
      host: 'bench',
    };
    say(link, { frame: { case: 'hello', value: hello } });
    this.#link = link;
  }

  /** The service may be killed on purpose: the executor comes back, as a real one does. */
  #comeBack(): void {
    if (!this.#closed) setTimeout(() => this.#connect(), 100 + Math.random() * 400);
  }

  #take(link: LightLink, body: Buffer): void {
    const frame = readFrame(body);
    switch (frame.case) {
      case 'commands':
        this.#count(frame.deliveries);
        link.send(answerFrame(frame.deliveries));
        break;
      case 'eventsAcknowledged':
        this.#onAcknowledged(frame.count);
        break;
      case 'other':
        this.#takeOther(link, body);
    }
  }

  #takeOther(link: LightLink, body: Buffer): void {
    const { frame } = fromBinary(ConnectResponseSchema, body);
    if (frame.case === 'welcome') this.#welcome();
    if (frame.case !== 'heartbeat') return;
    say(link, { frame: { case: 'heartbeatReply', value: { number: frame.value.number } } });
  }

  #count(deliveries: readonly LightDelivery[]): void {
    for (const { commandId } of deliveries) {
      if (this.received.has(commandId)) this.duplicates += 1;
      this.received.add(commandId);
    }
  }
}

function say(link: LightLink, request: MessageInitShape<typeof ConnectRequestSchema>): void {
  link.send(toBinary(ConnectRequestSchema, create(ConnectRequestSchema, request)));
}

import type { DescMethod } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { concurrently } from '../fault/concurrently.ts';
import { type Answer, settled } from './answer.ts';
import { type Fault, namesField } from './fault.ts';
import { binaryOf, jsonOf } from './faults-of.ts';
import { Http1Wire, type Target } from './wire-http1.ts';
import { Http2Wire } from './wire-http2.ts';

/** Fewer than a port takes on one connection. */
const CALLS_AT_ONCE = 12;
/** Codes that no request of a caller may ever be answered with. */
const DEFECTS: readonly Code[] = [Code.Internal, Code.Unknown, Code.DataLoss];

export type Wire = 'Connect JSON' | 'gRPC' | 'gRPC-Web';

/** Asks one port the same thing over every wire that it speaks. */
export class Interrogation implements Disposable {
  readonly #http1 = new Http1Wire();
  readonly #http2 = new Http2Wire();
  readonly #target: Target;
  readonly #wires: readonly Wire[];

  constructor(target: Target, wires: readonly Wire[]) {
    this.#target = target;
    this.#wires = wires;
  }

  /** What is amiss with the refusals of faults; empty when each was refused with its code and by the name of its field. */
  async unrefused(method: DescMethod, faults: readonly Fault[]): Promise<string[]> {
    return this.#ask(method, faults, (fault, answer) => {
      return answer.type === 'refused' && answer.code === fault.code && namesField(answer.fields, fault.field);
    });
  }

  /** What is amiss with the answers to faults that are to be let through: a refusal as malformed, or a defect. */
  async refused(method: DescMethod, faults: readonly Fault[]): Promise<string[]> {
    return this.#ask(method, faults, (_fault, answer) => isTaken(answer));
  }

  /** The same for requests with nothing wrong. */
  async unsound(method: DescMethod, requests: readonly Uint8Array[]): Promise<string[]> {
    const answers = await concurrently(requests, CALLS_AT_ONCE, async (request) =>
      settled(await this.#http2.grpc(this.#target, method, request)),
    );
    return answers.filter((answer) => !isTaken(answer)).map((answer) => `a sound request: ${told(answer)}`);
  }

  [Symbol.dispose](): void {
    this.#http1[Symbol.dispose]();
    this.#http2[Symbol.dispose]();
  }

  async #ask(
    method: DescMethod,
    faults: readonly Fault[],
    isRight: (fault: Fault, answer: Answer) => boolean,
  ): Promise<string[]> {
    const asked = async (fault: Fault): Promise<string[]> => {
      const answers = await this.#answers(method, fault);
      return answers
        .filter(([, answer]) => !isRight(fault, answer))
        .map(([wire, answer]) => `${fault.kind} ${fault.subject} (${fault.detail}) over ${wire}: ${told(answer)}`);
    };
    // What is too large may use up what a connection holds for all of its calls: it goes alone.
    const [large, others] = [faults.filter(isLarge), faults.filter((fault) => !isLarge(fault))];
    return [...(await concurrently(others, CALLS_AT_ONCE, asked)), ...(await concurrently(large, 1, asked))].flat();
  }

  async #answers(method: DescMethod, fault: Fault): Promise<(readonly [Wire, Answer])[]> {
    const json = jsonOf(fault);
    const binary = binaryOf(method.input, fault);
    const answers: (readonly [Wire, Answer])[] = [];
    for (const wire of this.#wires) {
      const body = wire === 'Connect JSON' ? json : binary;
      if (body !== undefined) answers.push([wire, settled(await this.#send(wire, method, body))]);
    }
    return answers;
  }

  #send(wire: Wire, method: DescMethod, body: Uint8Array): Promise<Answer> {
    switch (wire) {
      case 'Connect JSON':
        return this.#http1.connectJson(this.#target, method, body);
      case 'gRPC':
        return this.#http2.grpc(this.#target, method, body);
      case 'gRPC-Web':
        return this.#http1.grpcWeb(this.#target, method, body);
    }
  }
}

function isLarge({ kind }: Fault): boolean {
  return kind === 'too large';
}

/** Taken as well formed, whatever the platform then thought of it. */
export function isTaken(answer: Answer): boolean {
  return answer.type === 'accepted' || (answer.code !== Code.InvalidArgument && !DEFECTS.includes(answer.code));
}

export function told(answer: Answer): string {
  return answer.type === 'accepted' ? 'accepted' : `${Code[answer.code]} [${answer.fields.join()}] ${answer.message}`;
}

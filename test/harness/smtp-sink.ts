import { createServer, type Server, type Socket } from 'node:net';

/** A mail as it came over the wire. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Header and text, lines ended by \n. */
  readonly data: string;
}

/** An SMTP server on the loopback interface that keeps what it is sent. */
export class SmtpSink implements AsyncDisposable {
  readonly mails: ReceivedMail[] = [];
  /** While it is set, mails are refused with a fault that may pass. */
  refusing = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      // A sender that goes away in the middle of a mail has sent none.
      socket.on('error', () => socket.destroy());
      this.#converse(socket);
    });
  }

  static async start(): Promise<SmtpSink> {
    const sink = new SmtpSink();
    await new Promise<void>((resolve) => sink.#server.listen(0, '127.0.0.1', resolve));
    return sink;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the sink has no port');
    return `smtp://127.0.0.1:${address.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #converse(socket: Socket): void {
    let [from, data, rest, inData] = ['', '', '', false];
    let to: string[] = [];
    const say = (line: string): void => void socket.write(`${line}\r\n`);
    const takeText = (line: string): void => {
      if (line !== '.') {
        data += `${line.replace(/^\.\./, '.')}\n`;
        return;
      }
      inData = false;
      if (this.refusing) return say('451 not now');
      this.mails.push({ from, to, data });
      say('250 taken');
    };
    const takeCommand = (line: string): void => {
      const [verb] = line.split(' ', 1);
      const [, address = ''] = /<(.*)>/.exec(line) ?? [];
      switch (verb?.toUpperCase()) {
        case 'MAIL':
          [from, to, data] = [address, [], ''];
          return say('250 yes');
        case 'RCPT':
          to.push(address);
          return say('250 yes');
        case 'DATA':
          inData = true;
          return say('354 go on');
        case 'QUIT':
          say('221 bye');
          return void socket.end();
        default:
          return say('250 yes');
      }
    };
    say('220 sink');
    socket.on('data', (bytes: Buffer) => {
      const lines = (rest + bytes.toString('utf8')).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) (inData ? takeText : takeCommand)(line);
    });
  }
}

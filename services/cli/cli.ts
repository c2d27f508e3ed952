import type { Command } from 'commander';
import { type Clients, connectClients } from './client.ts';
import { dataDirectory, type GlobalOptions, resolveSettings, resolveUrl } from './settings.ts';
import { Output } from './terminal/output.ts';

/** What a command works with. */
export interface Session extends Clients {
  readonly out: Output;
  readonly url: string;
}

/** One run of the program. */
export class Cli {
  /** The address that was called last, for error messages. */
  url: string | undefined;
  /** Set by what must stop in order, whoever reads its output. */
  outlivesReader = false;

  output(command: Command): Output {
    return new Output(globals(command).json === true);
  }

  dataDirectory(command: Command) {
    return dataDirectory(globals(command));
  }

  /** Runs `use` with clients of the platform that the options name, and closes their connections afterwards. */
  async withClients(command: Command, use: (session: Session) => Promise<void>): Promise<void> {
    const options = globals(command);
    this.url = await resolveUrl(options);
    const { url, token } = await resolveSettings(options);
    using clients = connectClients(url, token);
    await use({ ...clients, url, out: this.output(command) });
  }
}

export function globals(command: Command): GlobalOptions {
  return command.optsWithGlobals<GlobalOptions>();
}

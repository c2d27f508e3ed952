import packageFile from '../../package.json' with { type: 'json' };

/** Version of this package, told to the platform in Hello. */
export const AGENT_VERSION: string = packageFile.version;

import { writeFile } from 'node:fs/promises';
import { startServers } from '../harness/servers.ts';
import { schemaListings } from '../harness/schema-listing.ts';

/** Writes test/schema/<schema>.txt anew from a freshly migrated database. */
const { servers, running } = await startServers();
try {
  const url = new URL(servers.adminUrl);
  url.pathname = `/${servers.templateDatabase}`;
  for (const [schema, text] of await schemaListings(url.href)) {
    await writeFile(new URL(`./${schema}.txt`, import.meta.url), text);
  }
} finally {
  await running.stop();
}

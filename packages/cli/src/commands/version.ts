import { ApiError, type Version } from '@hsu-master/api/client';
import { type CommonOptions, formatOf, withClient } from '../asking.ts';
import { CliError } from '../cli-error.ts';
import { printData, say } from '../output/print.ts';
import type { Surroundings } from '../surroundings.ts';

/** `version`: of this command, and of the master where one answers. */
export async function version(to: Surroundings, options: CommonOptions): Promise<number> {
  const format = formatOf(options);
  const master = await versionOfMaster(to, options);
  const { node } = process.versions;
  const told = { version: to.version, node, master };
  if (await printData(to.out, format, told, [told])) return 0;
  await say(to.out, `hsu-master ${to.version} (Node ${node})`);
  if (master !== null) await say(to.out, `master ${master.version} (Node ${master.node}), pid ${master.pid}`);
  if (master !== null && master.version !== to.version)
    await say(
      to.err,
      `the master is ${master.version}, this command ${to.version}: restart the master, or use its own command`,
    );
  return 0;
}

async function versionOfMaster(to: Surroundings, options: CommonOptions): Promise<Version | null> {
  try {
    return await withClient(to, options, (client) => client.version());
  } catch (error) {
    // That none answers is an answer here; that one does not answer which was named should be known.
    if (!(error instanceof ApiError || error instanceof CliError)) throw error;
    if (error.code !== 'E_NO_MASTER' || options.address !== undefined) await say(to.err, error.message);
    return null;
  }
}

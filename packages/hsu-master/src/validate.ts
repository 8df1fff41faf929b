import {
  describeConfig,
  formatIssue,
  type LoadedConfig,
  type LoadResult,
  readConfigFile,
} from '@hsu-master/config';
import { masked } from '@hsu-master/core';
import { checkWorkingDirectory, load, placesOf } from './create-master.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { directoriesOf, type Flags } from './flags.ts';
import { print } from './print.ts';
import { refused } from './refused.ts';
import { wantsColour } from './terminal-colour.ts';

/** `hsu-master validate FILE`: all mistakes at once, or what the file means. */
export async function validate(file: string, flags: Flags): Promise<number> {
  try {
    checkWorkingDirectory();
  } catch (error) {
    return refused(error);
  }
  const read = readConfigFile(file);
  if (!read.ok) {
    process.stderr.write(`hsu-master: ${read.failure.message}\n`);
    return EXIT_CODES.usage.code;
  }
  const places = placesOf(file, process.env, directoriesOf(flags));
  const result = load({ file, text: read.text }, process.env, places);
  const isData = flags.output === 'json' || flags.output === 'yaml';
  if (!isData) tellIssues(result);
  if (isData || result.ok)
    await print(flags.output, dataOf(file, result), () => (result.ok ? describeConfig(result.config) : ''));
  return result.ok ? EXIT_CODES.ok.code : EXIT_CODES.usage.code;
}

function issuesOf(result: LoadResult): LoadedConfig['warnings'] {
  return result.ok ? result.config.warnings : result.issues;
}

/** Mistakes, or warnings, as compilers tell them. */
export function tellIssues(result: LoadResult): void {
  const colour = wantsColour(process.stderr, process.env);
  for (const issue of issuesOf(result)) process.stderr.write(`${formatIssue(issue, { colour })}\n`);
}

/** As `GET /v1/config` tells it: each worker as it is understood, spans in milliseconds, secrets masked. */
function dataOf(file: string, result: LoadResult): object {
  const issues = issuesOf(result).map(({ severity, file: where, line, column, path, message, hint }) => {
    return { severity, file: where, line, column, path, message, hint };
  });
  const workers = result.ok ? result.config.workers.map((worker) => masked([], worker)) : [];
  return { ok: result.ok, file, issues, workers };
}

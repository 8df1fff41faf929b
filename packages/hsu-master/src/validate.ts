import { describeConfig, formatIssue, readConfigFile } from '@hsu-master/config';
import { checkWorkingDirectory, load, placesOf } from './create-master.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { directoriesOf, type Flags } from './flags.ts';
import { refused } from './refused.ts';
import { wantsColour } from './terminal-colour.ts';

/** `hsu-master validate FILE`: all mistakes at once, or what the file means. */
export function validate(file: string, flags: Flags): number {
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
  const issues = result.ok ? result.config.warnings : result.issues;
  const colour = wantsColour(process.stderr, process.env);
  for (const issue of issues) process.stderr.write(`${formatIssue(issue, { colour })}\n`);
  if (!result.ok) return EXIT_CODES.usage.code;
  process.stdout.write(`${describeConfig(result.config)}\n`);
  return EXIT_CODES.ok.code;
}

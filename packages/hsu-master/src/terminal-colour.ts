type Environment = Readonly<Record<string, string | undefined>>;

/** Whether a stream gets colours: NO_COLOR forbids, FORCE_COLOR and CLICOLOR_FORCE ask, else a terminal that is not dumb. */
export function wantsColour(stream: NodeJS.WriteStream, env: Environment): boolean {
  if (env['NO_COLOR']) return false;
  if (env['FORCE_COLOR'] !== undefined) return env['FORCE_COLOR'] !== '0';
  if (env['CLICOLOR_FORCE'] !== undefined && env['CLICOLOR_FORCE'] !== '0') return true;
  return stream.isTTY === true && env['TERM'] !== 'dumb' && env['CLICOLOR'] !== '0';
}

/** Whether lines that were written can be written over. */
export function hasCursor(stream: NodeJS.WriteStream, env: Environment): boolean {
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

import { CliError } from '../cli-error.ts';

/** The whole number that an option was given; `otherwise` where it was not. @throws CliError E_USAGE */
export function whole<T>(option: string, text: string | undefined, otherwise: T, most: number): number | T {
  if (text === undefined) return otherwise;
  if (/^\d{1,15}$/.test(text) && Number(text) <= most) return Number(text);
  throw new CliError('E_USAGE', `${option} takes a number up to ${most}, not "${text}"`, '');
}

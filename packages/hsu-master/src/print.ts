/** The forms that the launcher's own commands answer in. */
export const OUTPUTS = ['table', 'json', 'yaml'] as const;

/** Writes a value in the form that `--output` asks for; without it as the text that people read. */
export async function print(output: string | undefined, value: object, text: () => string): Promise<void> {
  process.stdout.write(`${(await formed(output, value, text)).trimEnd()}\n`);
}

async function formed(output: string | undefined, value: object, text: () => string): Promise<string> {
  if (output === 'json') return JSON.stringify(value, null, 2);
  if (output !== 'yaml') return text();
  const { stringify } = await import('yaml');
  return stringify(value, { aliasDuplicateObjects: false });
}

/** What can be written so that a configuration says it. */
export type Plain = string | number | boolean | readonly Plain[] | { readonly [key: string]: Plain };

/** A value as YAML that is read as just that: texts in quotes where they could be taken for something else, `$` doubled. */
export function yamlOf(value: Plain): string {
  return `${lines(value).join('\n')}\n`;
}

function lines(value: Plain): readonly string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item: Plain) => {
      const [first = '', ...rest] = isFlat(item) ? [inline(item)] : lines(item);
      return [`- ${first}`, ...rest.map((line) => `  ${line}`)];
    });
  }
  if (typeof value !== 'object') return [inline(value)];
  return Object.entries(value).flatMap(([key, item]) => {
    if (isFlat(item)) return [`${key}: ${inline(item)}`];
    return [`${key}:`, ...lines(item).map((line) => `  ${line}`)];
  });
}

function isFlat(value: Plain): boolean {
  if (typeof value !== 'object') return true;
  if (Array.isArray(value)) return value.every((item) => typeof item !== 'object');
  return Object.keys(value).length === 0;
}

function inline(value: Plain): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (typeof value === 'object') return '{}';
  if (typeof value !== 'string') return String(value);
  const text = value.replaceAll('$', '$$$$');
  return /^[A-Za-z/_][A-Za-z0-9/._-]*$/.test(text) && !WORDS.test(text) ? text : JSON.stringify(text);
}

/** Words that YAML or its readers take for something else. */
const WORDS = /^(?:true|false|yes|no|on|off|y|n|null|nan|inf)$/i;

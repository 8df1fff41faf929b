/** What an event says besides its type, on a line: `exit=1 asked=false`. Of what has many parts the one that tells most. */
export function payloadText(payload: Readonly<Record<string, unknown>>): string {
  return Object.entries(payload)
    .map(([name, value]) => [name, valueText(value)] as const)
    .filter(([, text]) => text !== '')
    .map(([name, text]) => `${name}=${text}`)
    .join(' ')
    .replace(/\p{Cc}/gu, ' ');
}

/** The parts that tell what a thing is, the best first. */
const TELLING = ['message', 'id', 'pid', 'signal', 'code'] as const;

function valueText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map(valueText).join(',');
  if (typeof value === 'number') return String(Math.round(value * 10) / 10);
  if (typeof value === 'string') return value;
  if (typeof value !== 'object') return JSON.stringify(value);
  const parts = value as Readonly<Record<string, unknown>>;
  const telling = TELLING.find((name) => valueText(parts[name]) !== '');
  // Failures name the worker, which the line does as well.
  return telling === undefined ? '' : valueText(parts[telling]).replace(/^worker "[^"]*": /, '');
}

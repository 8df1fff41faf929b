/** Longest text of the other side that is repeated in a reason. */
const SAID_LIMIT = 200;

/** What another program said, in one line that is fit for logs: without control characters, secrets and length. */
export function quoted(text: string, secrets: readonly string[]): string {
  const known = secrets.filter((secret) => secret.length > 0).sort((a, b) => b.length - a.length);
  const clean = known.reduce((said, secret) => said.replaceAll(secret, '***'), text);
  return clean
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, SAID_LIMIT);
}

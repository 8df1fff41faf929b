/** Variables by name; what is undefined is unset. */
export type Variables = Readonly<Record<string, string | undefined>>;

export type Interpolated =
  | { readonly ok: true; readonly text: string }
  | {
      readonly ok: false;
      /** Where in the text the trouble begins. */
      readonly at: number;
      readonly message: string;
      readonly hint: string;
      /** The variable that is not set, if that is the trouble. */
      readonly unset: string | null;
    };

/** Defaults within defaults, at most. */
const MAX_NESTING = 8;

/** Whether `interpolate` would do anything with the text. */
export function needsInterpolation(text: string): boolean {
  const dollar = text.indexOf('$');
  return dollar !== -1 && (text.includes('${', dollar) || text.includes('$$', dollar));
}

/**
 * Replaces `${NAME}` by the variable, `${NAME:-text}` by the text where the variable is unset or empty, and `$$` by one `$`.
 * A `$` before anything else stays as it is. What is put in is not looked at again. An unset variable without a default is
 * an error that names it.
 */
export function interpolate(text: string, variables: Variables): Interpolated {
  return replace(text, 0, variables, 0);
}

function replace(text: string, base: number, variables: Variables, depth: number): Interpolated {
  let result = '';
  let at = 0;
  while (true) {
    const dollar = text.indexOf('$', at);
    if (dollar === -1) return { ok: true, text: result + text.slice(at) };
    result += text.slice(at, dollar);
    const next = text[dollar + 1];
    if (next === '{') {
      const end = closingBrace(text, dollar + 2);
      if (end === -1) return fail(base + dollar, 'a ${ is never closed', 'write $${ for a literal ${');
      const value = variable(text.slice(dollar + 2, end), base + dollar, variables, depth);
      if (!value.ok) return value;
      result += value.text;
      at = end + 1;
    } else {
      result += '$';
      at = dollar + (next === '$' ? 2 : 1);
    }
  }
}

function variable(inner: string, at: number, variables: Variables, depth: number): Interpolated {
  const parts = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/.exec(inner);
  if (parts === null) {
    return fail(
      at,
      `\${${inner.slice(0, 40)}} is not a variable`,
      'known forms are ${NAME} and ${NAME:-default}; write $${ for a literal ${',
    );
  }
  const name = parts[1] as string;
  const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
  const fallback = parts[2];
  if (value !== undefined && (value !== '' || fallback === undefined)) return { ok: true, text: value };
  if (fallback === undefined) {
    return {
      ok: false,
      at,
      message: `the environment variable ${name} is not set`,
      hint: `set it, or give a default: \${${name}:-value}`,
      unset: name,
    };
  }
  if (depth >= MAX_NESTING)
    return fail(at, 'defaults are nested too deeply', 'use fewer ${…:-…} in each other');
  return replace(fallback, at + name.length + 4, variables, depth + 1);
}

/** The brace that closes the one opened just before `from`; inner `${…}` count, `$$` hides its second `$`. */
function closingBrace(text: string, from: number): number {
  let open = 1;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at];
    if (char === '$' && text[at + 1] === '$') at += 1;
    else if (char === '$' && text[at + 1] === '{') {
      open += 1;
      at += 1;
    } else if (char === '}') {
      open -= 1;
      if (open === 0) return at;
    }
  }
  return -1;
}

function fail(at: number, message: string, hint: string): Interpolated {
  return { ok: false, at, message, hint, unset: null };
}

import type { StackTrace } from '@hsu-master/core';
import type { Continues } from './multiline.ts';

/** Knows the lines of a stack trace by their looks. One per stream: some remember the lines before. */
export function stackTraces(kind: StackTrace): Continues {
  return TRACES[kind]();
}

const TRACES: Readonly<Record<StackTrace, () => Continues>> = {
  java: () => isJava,
  python,
  node,
  go,
};

/** Whether a line begins with a blank: most lines are none of a stack trace, and this tells at once. */
function isIndented(text: string): boolean {
  const code = text.charCodeAt(0);
  return code === 0x20 || code === 0x09;
}

const JAVA_INDENTED = /^\s{1,64}(?:at [\w$.<(/@]|\.\.\. \d|Suppressed: |Caused by: )/;
const JAVA_FLUSH =
  /^(?:Caused by: |(?:[\w$]{1,128}\.){1,32}[\w$]{0,128}(?:Exception|Error|Throwable)(?:: |$))/;

function isJava(text: string): boolean {
  return isIndented(text) ? JAVA_INDENTED.test(text) : JAVA_FLUSH.test(text);
}

const CHAINED = /^(?:During handling of the above exception|The above exception was the direct cause)/;

/** A trace begins at `Traceback`, goes on with indented lines and ends with the line of the exception; traces are chained. */
function python(): Continues {
  let place: 'outside' | 'frames' | 'after' | 'between' = 'outside';
  return (text) => {
    if (text.startsWith('Traceback (most recent call last)')) {
      const isChained = place === 'between';
      place = 'frames';
      return isChained;
    }
    if (place === 'outside') return false;
    if (place === 'frames') {
      if (!isIndented(text)) place = 'after';
      return true;
    }
    if (text === '' || CHAINED.test(text)) {
      place = 'between';
      return true;
    }
    place = 'outside';
    return false;
  };
}

const NODE_FRAME = /^\s{1,64}(?:at |\[cause\]: )/;

/** Indented `at` lines; what Node prints of the error’s own properties between braces follows them. */
function node(): Continues {
  let depth = 0;
  return (text) => {
    if (depth > 0) {
      if (isIndented(text)) {
        if (text.endsWith('{')) depth += 1;
        else if (/^\s{1,64}\},?$/.test(text)) depth -= 1;
        return true;
      }
      depth = 0;
      return text === '}';
    }
    if (!isIndented(text) || !NODE_FRAME.test(text)) return false;
    if (text.endsWith('{')) depth = 1;
    return true;
  };
}

const GO_BEGINS = /^(?:panic: |fatal error: |goroutine \d{1,12} \[)/;
const GO_GOES_ON =
  /^(?:goroutine \d{1,12} \[|\t|created by |\[signal |\[recovered\]|panic: |exit status \d|\.\.\.additional frames|r[0-9a-z]{1,3} {1,8}0x|[\w./*()[\]{}$~-]{1,512}\()/;

/** From `panic:` on all lines that look like goroutines, calls, places and registers. */
function go(): Continues {
  let inside = false;
  return (text) => {
    if (inside && (text === '' || GO_GOES_ON.test(text))) return true;
    inside = GO_BEGINS.test(text);
    return false;
  };
}

export { configSchemaText, jsonSchema } from './json-schema.ts';

import { CHANGES_SECTION } from './docs-changes.ts';
import { LIMITS_SECTION } from './docs-limits.ts';
import { CHANNEL_SECTION, LINES_SECTION, TARGETS_SECTION } from './docs-lines.ts';
import { UNMANAGED_SECTION } from './docs-unmanaged.ts';
import type { Field, ObjectField } from './schema/fields.ts';
import { IGNORED } from './schema/ignored.ts';
import { root } from './schema/root.ts';
import { longForm, shortForm } from './schema/worker.ts';

const INTRODUCTION = `<!-- Generated from the code by \`npm run docs\`; changes here are lost. -->

# Configuration

One YAML file. Every key is listed here; any other key is an error. \`hsu-master validate FILE\` says what a file means.

- **Two forms.** Each item of \`workers\` is written in the [short form](#shortworker) (\`command\`) or in the [long form](#worker)
  (\`type\` and \`unit\`), never in a mixture of both.
- **Variables.** In any value, \`\${NAME}\` is replaced by the environment variable, \`\${NAME:-text}\` by the text where it is unset or
  empty, \`$$\` by one \`$\`. They are put in after the file was parsed, so a value stays one value whatever the variable
  contains. An unset variable without a default is an error. Inside \`[ ]\` and \`{ }\` quote such values.
- **Durations** are written \`500ms\`, \`10s\`, \`1h30m\`, \`7d\`; a number without a unit is an error, but for \`0\`.
  **Sizes** are bytes, or \`64KiB\`, \`100MB\`, \`1GiB\`.
- **Patterns** are regular expressions in what JavaScript and Go (RE2) have in common, with \`(?P<name>…)\` as well as \`(?<name>…)\`,
  \`(?i)\` and \`[[:alpha:]]\`; \`.\` is anything but a newline. They are matched in time that grows with the text alone, whatever the
  pattern. Looking around and references back are refused, since that cannot be done so.
- **Text** is what was written: \`22:30\`, \`0o777\`, \`NO\` and \`8080\` stay text where text is wanted.
- **Paths.** \`~/\` is the home directory. Relative ones start from the directory of the file.
- **Status.** Keys marked *later* are accepted and checked, but not acted on in this version; each is named in one warning.

## Where files go

Each configuration file has a master of its own, and that master a folder of its own, \`NAME\`: the file’s name (or its folder’s, where
the file is called \`config\` or \`hsu-master\`) and a checksum of its path. The first row that applies counts.

| when | run records, lock | what outlives a reboot | logs |
| --- | --- | --- | --- |
| \`--state-dir DIR\` | \`DIR/run\` | \`DIR\` | \`DIR/logs\`, or \`--log-dir\` |
| \`HSU_HOME\` is set | \`$HSU_HOME/run/NAME\` | \`$HSU_HOME/state/NAME\` | \`$HSU_HOME/logs/NAME\` |
| run as root | \`/run/hsu-master/NAME\` | \`/var/lib/hsu-master/NAME\` | \`/var/log/hsu-master/NAME\` |
| otherwise | \`$XDG_RUNTIME_DIR/hsu-master/NAME\` | \`~/.local/state/hsu-master/masters/NAME\` | \`~/.local/state/hsu-master/logs/NAME\` |

\`XDG_STATE_HOME\` replaces \`~/.local/state\`; without \`XDG_RUNTIME_DIR\` run records lie below it. The output of a worker goes to
\`workers/ID-stdout.log\` and \`workers/ID-stderr.log\` in the directory of the logs.`;

/** The reference of all keys, as Markdown. */
export function configDocs(): string {
  const writer = new Writer();
  writer.section('Document', root);
  writer.section('Worker', longForm);
  writer.section('ShortWorker', shortForm);
  return `${[INTRODUCTION, CHANGES_SECTION, LIMITS_SECTION, LINES_SECTION, CHANNEL_SECTION, TARGETS_SECTION, UNMANAGED_SECTION, ...writer.sections, ignoredSection()].join('\n\n')}\n`;
}

class Writer {
  readonly sections: string[] = [];
  readonly #known = new Set<string>();

  section(name: string, object: ObjectField<unknown>): void {
    if (this.#known.has(name)) return;
    this.#known.add(name);
    const at = this.sections.length;
    const rows = this.#rows(object, '');
    const head = ['| key | type | default | meaning |', '| --- | --- | --- | --- |'];
    // Sections that the rows refer to were written while the rows were made; this one stands before them.
    this.sections.splice(at, 0, [`## ${name}`, '', object.meaning, '', ...head, ...rows].join('\n'));
  }

  #rows(object: ObjectField<unknown>, prefix: string): string[] {
    return [...object.keys].flatMap(([key, field]) => {
      const path = `${prefix}${key}`;
      const marks = [field.required ? '**Required.**' : '', field.meaning];
      if (field.status.kind === 'later') marks.push(`*Later: ${field.status.note}.*`);
      const cells = [
        `\`${path}\``,
        this.#type(field),
        field.fallback === null ? '' : `\`${field.fallback}\``,
        marks.filter(Boolean).join(' '),
      ];
      const row = `| ${cells.map((cell) => cell.replace(/(?<!\\)\|/g, '\\|')).join(' | ')} |`;
      const inner = field.kind === 'object' && field.name === null ? this.#rows(field, `${path}.`) : [];
      return [row, ...inner];
    });
  }

  #type(field: Field): string {
    switch (field.kind) {
      case 'scalar':
        return field.type;
      case 'list':
        return field.item.kind === 'forms'
          ? `list of (${this.#type(field.item)})`
          : `list of ${this.#type(field.item)}`;
      case 'map':
        return `map of ${this.#type(field.value)}`;
      case 'object': {
        if (field.name === null) return 'map';
        this.section(field.name, field);
        return `[${field.name}](#${field.name.toLowerCase()})`;
      }
      case 'forms':
        return [field.scalar, field.list, field.map]
          .filter((form) => form !== null)
          .map((form) => this.#type(form))
          .join(', or ');
      case 'any':
        return field.elsewhere ? 'list of [ShortWorker](#shortworker), or [Worker](#worker)' : 'anything';
    }
  }
}

const PLACES: Readonly<Record<keyof typeof IGNORED, string>> = {
  root: '',
  master: 'master.',
  worker: 'workers[].',
  control: '….control.',
  execution: '….execution.',
  processFile: '….process_file.',
  limits: '….limits.',
  memory: '….limits.memory.',
  cpu: '….limits.cpu.',
  healthCheck: '….health_check.',
  logCollection: 'log_collection. and ….control.log_collection.',
};

function ignoredSection(): string {
  const rows = Object.entries(IGNORED).flatMap(([place, keys]) =>
    Object.entries(keys).map(
      ([key, instead]) => `| ${PLACES[place as keyof typeof IGNORED]}\`${key}\` | ${instead} |`,
    ),
  );
  return [
    '## Ignored keys',
    '',
    'Documents and examples of the original show these keys, but its code never read them. Each is accepted with one warning.',
    '',
    '| key | instead |',
    '| --- | --- |',
    ...rows,
  ].join('\n');
}

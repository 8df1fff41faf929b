import type { CommandSpec, Option } from './command.ts';
import { wrapped } from './output/wrap.ts';

/** A command's help, no wider than so many columns where that can be done. */
export function helpOf(spec: CommandSpec, columns: number): string {
  const { name, aliases = [], examples, does, options } = spec;
  const rows = [
    ...options.map((option) => [written(option), meaning(option)] as const),
    ['-h, --help', 'print this'] as const,
  ];
  const left = Math.max(...rows.map(([option]) => option.length)) + 2;
  const room = Math.max(16, columns - left - 2);
  return [
    'Examples:',
    ...examples.map((line) => `  hsu-master ${line}`),
    '',
    `Usage: ${usageOf(spec)}${aliases.length === 0 ? '' : `   (also: ${aliases.join(', ')})`}`,
    '',
    ...wrapped(sentence(does, name), columns),
    '',
    'Options:',
    ...rows.flatMap(([option, text]) => {
      const [first = '', ...others] = wrapped(text, room);
      return [`  ${option.padEnd(left)}${first}`, ...others.map((line) => `  ${' '.repeat(left)}${line}`)];
    }),
    '',
  ].join('\n');
}

/** How it is written, in a line. */
export function usageOf({ name, arguments: named, options, rest }: CommandSpec): string {
  return [
    `hsu-master ${name}`,
    ...(options.length === 0 ? [] : ['[options]']),
    ...named.map(({ name: one, many, optional }) => {
      const text = many ? `${one}...` : one;
      return optional ? `[${text}]` : `<${text}>`;
    }),
    ...(rest === undefined ? [] : [`-- <${rest}...>`]),
  ].join(' ');
}

function sentence(does: string, name: string): string {
  return `${name}: ${does}.`;
}

function written({ name, short, value, optional }: Option): string {
  const word = value === undefined ? '' : optional ? `[=${value}]` : ` <${value}>`;
  return `${short === undefined ? '' : `-${short}, `}--${name}${word}`;
}

function meaning({ means, usual }: Option): string {
  return usual === undefined ? means : `${means} (usually ${usual})`;
}

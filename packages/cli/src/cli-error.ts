/** An error of the command line itself, told like those of a master: what, and what to do about it. */
export class CliError extends Error {
  readonly code: string;
  readonly next: string;

  constructor(code: string, message: string, next: string) {
    super(message);
    this.name = 'CliError';
    this.code = code;
    this.next = next;
  }
}

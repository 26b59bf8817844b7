/** Ends a command: one line on standard error, and this exit code. 2: wrong arguments; 1: it could not be done. */
export class CommandLineError extends Error {
  readonly exitCode: 1 | 2

  constructor(exitCode: 1 | 2, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}

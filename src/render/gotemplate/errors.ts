/**
 * Errors of templates. Messages are Go's and Helm's, so that a chart author recognises them; `trace` keeps
 * the chain of calls so that a caller may print it in Helm's form.
 */

/** The source text cannot be parsed: `template: NAME:LINE: …`. */
export class TemplateParseError extends Error {
  override name = 'TemplateParseError';
  readonly template: string;
  readonly line: number;

  constructor(template: string, line: number, reason: string) {
    super(`template: ${template}:${line}: ${reason}`);
    this.template = template;
    this.line = line;
  }
}

/** Execution failed: `template: NAME:LINE:COLUMN: executing "T" at <node>: …`. */
export class TemplateExecError extends Error {
  override name = 'TemplateExecError';
}

/** An error a function returns; the evaluator adds where it was called. */
export class FunctionError extends Error {
  override name = 'FunctionError';
}

/** The message of `fail` or `required`: a chart speaking to its user. */
export class ChartFailure extends FunctionError {
  override name = 'ChartFailure';
}

/** Did the stack end? Tested without an expression, because compiling one needs stack, too. */
export function isStackOverflow(error: unknown): boolean {
  return error instanceof Error && error.message.includes('call stack size');
}

/** A limit of {@link RenderLimits} was reached. Not catchable by a template. */
export class RenderLimitError extends Error {
  override name = 'RenderLimitError';
}

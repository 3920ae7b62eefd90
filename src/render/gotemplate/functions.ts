/** How function tables are written: parameter types in Go's words, `...type` for the repeating last one. */
import type { GoFunction } from './value.ts';

export type FunctionTable = Readonly<Record<string, GoFunction>>;

export function fn(params: readonly string[], call: (...args: never[]) => unknown): GoFunction {
  const variadic = params.at(-1)?.startsWith('...') ?? false;
  return { params: params.map((type) => type.replace('...', '')), variadic, call };
}

/** Regular expressions of schemas: RE2 syntax, linear time, compiled once. */
import { RE2JS } from 're2js';

/** Patterns kept compiled; beyond it the cache starts anew. */
const CACHE_MAX = 2000;
const cache = new Map<string, RE2JS>();

/** Throws an `Error` for a pattern that is not RE2. */
export function compilePattern(pattern: string): RE2JS {
  let compiled = cache.get(pattern);
  if (!compiled) {
    compiled = RE2JS.compile(pattern);
    if (cache.size >= CACHE_MAX) cache.clear();
    cache.set(pattern, compiled);
  }
  return compiled;
}

/** Whether the pattern occurs in the text; a pattern that does not compile never does. */
export function matchesPattern(pattern: string, text: string): boolean {
  try {
    return compilePattern(pattern).matcher(text).find();
  } catch {
    return false;
  }
}

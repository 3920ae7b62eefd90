/** The three verdicts, and conditions as the rules want to ask for them. */
import type { Condition, Unstructured } from '#apimachinery/meta';
import { getPath, isRecord } from '#base/json';
import type { Health } from './types.ts';

export interface Conditions {
  all: readonly Condition[];
  find(type: string): Condition | undefined;
}

/** The object's conditions without the ignored ones. */
export function conditionsOf(object: Unstructured, isIgnored: (condition: Readonly<Record<string, unknown>>) => boolean): Conditions {
  const list = getPath(object, 'status', 'conditions');
  const conditions = (Array.isArray(list) ? list : []).filter((condition): condition is Record<string, unknown> => isRecord(condition) && !isIgnored(condition));
  const all = conditions as unknown as Condition[];
  return { all, find: (type) => all.find((condition) => condition.type === type) };
}

export function ready(): Health {
  return { ready: true, summary: { state: 'active', error: false, transitioning: false, message: [] } };
}

export function progressing(state: string, message: string): Health {
  return { ready: false, summary: { state, error: false, transitioning: true, message: [message] } };
}

export function failing(condition: Pick<Condition, 'type'> & Partial<Condition>): Health {
  return failed(condition.message || condition.reason || `condition ${condition.type} is ${condition.status ?? 'True'}`);
}

export function failed(message: string): Health {
  return { ready: false, summary: { state: 'error', error: true, transitioning: false, message: [message] } };
}

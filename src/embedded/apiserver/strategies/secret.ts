/** Secrets: `stringData` is a way to write `data`, and is never kept. */
import { base64Encode } from '#base/hash';
import type { KindHooks } from './kinds.ts';

export const secretHooks: KindHooks = {
  convert(object) {
    const plain = object['stringData'] as Record<string, string> | undefined;
    if (!plain) return;
    const encoded = Object.fromEntries(Object.entries(plain).map(([key, value]) => [key, base64Encode(value)]));
    object['data'] = { ...(object['data'] as Record<string, string> | undefined), ...encoded };
    delete object['stringData'];
  },
};

/** Subresources: status and its like run through the generic verbs; the others have handlers of their own. */
import { methodNotAllowed } from '../errors.ts';
import type { ApiResponse } from '../http/types.ts';
import type { Call } from './call.ts';
import { logHandler } from './logs.ts';
import { bindingHandler, evictionHandler, streamingRefused } from './pods.ts';
import { scaleHandler } from './scale.ts';
import { tokenRequest } from './token.ts';
import { getVerb, patchVerb, updateVerb } from './verbs.ts';

export type SubresourceHandler = (call: Call) => ApiResponse | Promise<ApiResponse>;

/** By name; those of one kind only are registered as `Kind/name`. */
const HANDLERS: Readonly<Record<string, SubresourceHandler>> = {
  scale: scaleHandler,
  'Pod/binding': bindingHandler,
  'Pod/eviction': evictionHandler,
  'Pod/log': logHandler,
  'Pod/exec': streamingRefused,
  'Pod/attach': streamingRefused,
  'Pod/portforward': streamingRefused,
  'ServiceAccount/token': tokenRequest,
};

export function runSubresource(call: Call): ApiResponse | Promise<ApiResponse> {
  const { info, type } = call;
  const own = HANDLERS[`${type.group ? '' : type.kind}/${info.subresource}`] ?? HANDLERS[info.subresource];
  if (own) return own(call);
  switch (info.verb) {
    case 'get':
      return getVerb(call);
    case 'update':
      return updateVerb(call);
    case 'patch':
      return patchVerb(call);
    default:
      throw methodNotAllowed();
  }
}

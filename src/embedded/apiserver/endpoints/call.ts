/** One request on its way through the server: what was asked, of which kind, by whom. */
import type { Deps } from '../registry/deps.ts';
import type { ResourceType, SubresourceType } from '../registry/types.ts';
import type { ApiRequest } from '../http/types.ts';
import type { RequestInfo } from '../http/requestinfo.ts';
import type { UserInfo } from '../auth/user.ts';

export interface Call {
  deps: Deps;
  request: ApiRequest;
  info: RequestInfo;
  user: UserInfo;
  type: ResourceType;
  subresource: SubresourceType | undefined;
  /** Sent as Warning headers. */
  warnings: string[];
}

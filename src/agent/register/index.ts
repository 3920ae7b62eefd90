/** Door: how an agent gets and keeps its credentials upstream. */
export { register, type RegisterDependencies } from './register.ts';
export { AGENT_CONFIG_MAP, AGENT_SECRET, BOOTSTRAP_SECRET, parseRegistration, type Registration } from './registration.ts';
export { renewTokens, type RenewDependencies } from './renew-token.ts';

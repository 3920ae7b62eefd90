/** Door: how agents get to know the manager (tokens, requests, credentials). */
export { credentialSecretName, clusterNamespaceName } from './names.ts';
export { RegistrationReconciler, type RegistrationDependencies } from './registrations.ts';
export { RegistrationTokenReconciler, type TokenDependencies } from './tokens.ts';

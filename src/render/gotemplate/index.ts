/**
 * Go's text/template with Sprig and Helm's functions. Pure and synchronous; truth: helm 4.1.
 */
export { DEFAULT_RENDER_LIMITS, type CertificatePair, type CertificateRequest, type RenderCrypto, type RenderLimits } from './types.ts';

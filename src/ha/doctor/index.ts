/** Door of the doctor: findings, remedies, and the safe fix. */
export { type Finding, findingsOf, fix, type FixTarget, formatFindings } from './doctor.ts';

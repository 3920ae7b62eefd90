/** Door of reports: drills as a page to keep. */
export { reportPage } from './report.ts';

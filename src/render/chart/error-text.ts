/**
 * Errors of templates in Helm's words: what a chart says by `fail` or `required` stands alone; a chain of
 * includes is laid out in lines, place by place.
 */
import { ChartFailure } from '#render/gotemplate';

const LINK = /^template: (.+?:[0-9]+:[0-9]+): executing ("(?:[^"\\]|\\.)*") at (<[\s\S]*?>): ([\s\S]*)$/;
const INCLUDE = 'error calling include: ';

export function helmMessage(error: Error): string {
  const said = chartFailure(error);
  const place = LINK.exec(error.message)?.[1];
  if (said !== undefined && place !== undefined) return `execution error at (${place}): ${said}`;
  return layOut(error.message);
}

function chartFailure(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) if (current instanceof ChartFailure) return current.message;
  return undefined;
}

function layOut(message: string): string {
  const lines: string[] = [];
  for (let rest = message; ; ) {
    const link = LINK.exec(rest);
    if (!link) return lines.length > 0 ? [...lines, rest].join('\n') : message;
    const [, place = '', name = '', node = '', reason = ''] = link;
    lines.push(place, `  executing ${name} at ${node}:`);
    if (!reason.startsWith(INCLUDE)) return reason.startsWith('error calling ') ? message : [...lines, `    ${reason}`].join('\n');
    lines.push('    error calling include:');
    rest = reason.slice(INCLUDE.length);
  }
}

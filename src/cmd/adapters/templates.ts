/** `${ }` templates and YAML for the targeting of bundles. */
import { systemClock } from '#base/clock';
import { systemRandom } from '#base/random';
import type { TemplateTools } from '#core/target';
import { expandDelimited } from '#render/gotemplate';
import { dumpYaml, parseYaml } from '#render/rawyaml';

export function templateTools(): TemplateTools {
  return {
    expand: (text, context) => expandDelimited(text, context, { random: systemRandom, nowMs: systemClock.wallMs() }),
    parseYaml: (text) => parseYaml(text),
    formatYaml: (value) => dumpYaml(value),
  };
}

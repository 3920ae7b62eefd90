/** The process's log: JSON lines on standard error through pino; the level comes from FLEET_LOG_LEVEL. */
import { destination, type Logger, pino } from 'pino';
import { type Log, type LogFields } from '#base/log';

const LEVELS = ['debug', 'info', 'warn', 'error'];

export function processLog(component: string, env: NodeJS.ProcessEnv): Log {
  const level = LEVELS.includes(env.FLEET_LOG_LEVEL ?? '') ? (env.FLEET_LOG_LEVEL as string) : 'info';
  const options = {
    level,
    base: { component },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    // A safety net: nothing of ours logs these on purpose.
    redact: { paths: ['token', 'password', '*.token', '*.password', 'data.*'], censor: '[redacted]' },
  };
  // Synchronous, so that the last words of a dying process are not lost.
  return wrap(pino(options, destination({ fd: 2, sync: true })));
}

function wrap(logger: Logger): Log {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    with: (fields: LogFields) => wrap(logger.child(fields)),
  };
}

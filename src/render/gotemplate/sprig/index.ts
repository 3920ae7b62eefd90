/** All of Sprig (v3.3), without what reads the machine: env, expandenv and getHostByName. */
import type { Random } from '#base/random';
import type { FunctionTable } from '../functions.ts';
import type { RenderCrypto } from '../types.ts';
import { cryptoFunctions } from './crypto.ts';
import { dateFunctions } from './dates.ts';
import { DICT_FUNCTIONS } from './dicts.ts';
import { ENCODING_FUNCTIONS } from './encoding.ts';
import { LIST_FUNCTIONS } from './lists.ts';
import { MATH_FUNCTIONS } from './math.ts';
import { regexFunctions } from './regex.ts';
import { SEMVER_FUNCTIONS } from './semver.ts';
import { STRING_FUNCTIONS } from './strings.ts';
import { URL_FUNCTIONS } from './url.ts';

export interface SprigOptions {
  random: Random;
  nowMs: number;
  crypto?: RenderCrypto | undefined;
}

const STATIC: FunctionTable = {
  ...STRING_FUNCTIONS,
  ...MATH_FUNCTIONS,
  ...LIST_FUNCTIONS,
  ...DICT_FUNCTIONS,
  ...ENCODING_FUNCTIONS,
  ...SEMVER_FUNCTIONS,
  ...URL_FUNCTIONS,
};

export function sprigFunctions({ random, nowMs, crypto }: SprigOptions): FunctionTable {
  return { ...STATIC, ...regexFunctions(), ...dateFunctions(nowMs), ...cryptoFunctions({ random, crypto }) };
}

export { compareVersions, parseConstraint, parseVersion, satisfies, versionText, type Constraint, type Version } from './semver.ts';

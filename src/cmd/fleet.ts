#!/usr/bin/env node
/** The command line of fleet. Commands are loaded when they are asked for, so that each starts fast. */
import { runProcess } from './adapters/process.ts';
import { runCommandLine } from './cli/app.ts';

runProcess('fleet', () => runCommandLine(process.argv.slice(2)));

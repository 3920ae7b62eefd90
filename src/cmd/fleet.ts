#!/usr/bin/env node
process.stdout.write('fleet: not built yet\n');

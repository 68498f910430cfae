/** A process that runs one writing verb, to be killed by a test: `node write-child.js VERB FILE SOURCE...`. */

import { performVerb } from './write-verbs.ts';

const [verb = '', file = '', ...sources] = process.argv.slice(2);
process.stdout.write('ready\n');
await performVerb(verb, file, sources);
process.stdout.write('done\n');

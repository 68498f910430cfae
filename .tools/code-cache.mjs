// Runs command lines of a packed program one after the other, and keeps what V8 compiled for them: `node code-cache.mjs
// LAUNCHER`; on standard input the command lines, the packs to write the cache of, and those of them that are read before flags
// are set. A command line that begins with "deck" gets a terminal.
import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { DEFAULT_FLAGS, GROWN } from './pack.mjs';

/** The deck is quit when it has drawn nothing for so long. */
const IDLE_MS = 1000;

const launcher = process.argv[2];
const { commands, packs, early, ofLanes } = JSON.parse(fs.readFileSync(0, 'utf8'));
const require = createRequire(launcher);
EventEmitter.defaultMaxListeners = 0;

/** The program makes its scripts here, each once, so that a second start finds the functions of the first. */
const scripts = new Map();
require('node:vm').Script = new Proxy(vm.Script, {
	construct(Script, [text, { filename }]) {
		const script = scripts.get(filename) ?? new Script(text, { filename });
		scripts.set(filename, script);
		return script;
	},
});

/** Caches are for the flags that count when packs are read, not for those of a run that has gone on for long. */
const { setFlagsFromString } = require('node:v8');
require('node:v8').setFlagsFromString = (flags) => setFlagsFromString(flags.replace(GROWN, ''));

/** Lanes write the cache of their packs themselves. They start without the flags that the program sets. */
if (ofLanes) {
	const threads = require('node:worker_threads');
	const execArgv = ['--require', fileURLToPath(new URL('code-cache-lane.cjs', import.meta.url))];
	threads.Worker = class extends threads.Worker {
		constructor(entry, options) {
			super(entry, { ...options, execArgv });
		}
	};
	require('node:v8').setFlagsFromString = () => {};
}

/** A terminal that answers nothing; when it has become quiet, `q` is pressed. */
function pretendTerminal() {
	const stdin = Object.assign(new PassThrough(), { isTTY: true, fd: 0, setRawMode: () => stdin });
	Object.assign(stdin, { ref: () => stdin, unref: () => stdin });
	let timer;
	const write = (_chunk, _encoding, done) => {
		clearTimeout(timer);
		timer = setTimeout(() => stdin.write('q'), IDLE_MS);
		done();
	};
	const stdout = Object.assign(new Writable({ write }), { isTTY: true, fd: 1 });
	Object.assign(stdout, { columns: 80, rows: 24 });
	Object.defineProperty(process, 'stdin', { value: stdin, configurable: true });
	Object.defineProperty(process, 'stdout', { value: stdout, configurable: true });
	process.env.TERM = 'xterm-256color';
}

function next() {
	let command = commands.shift();
	if (command === undefined) {
		const write = (isWanted) => {
			for (const [filename, script] of ofLanes ? [] : scripts)
				if (isWanted(path.basename(filename)))
					fs.writeFileSync(`${filename}.cache`, script.createCachedData());
		};
		// A cache counts only with the flags that it was written with.
		write((pack) => packs.includes(pack) && !early.includes(pack));
		setFlagsFromString(DEFAULT_FLAGS);
		write((pack) => early.includes(pack));
		process.exit(0);
	}
	if (command[0] === 'deck') {
		pretendTerminal();
		command = command.slice(1);
	}
	process.argv = [process.execPath, launcher, ...command];
	delete require.cache[launcher];
	require(launcher);
	// Without work there would be no further `beforeExit`.
	setImmediate(() => {});
}
process.on('beforeExit', next);
next();

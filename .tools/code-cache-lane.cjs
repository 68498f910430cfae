// Loaded first in every lane that runs for a code cache (code-cache.mjs): keeps what V8 compiled for the lane's packs. Each
// lane begins with the cache of the one before, so that it grows by what that lane needs besides.
const fs = require('node:fs');
const vm = require('node:vm');
const { parentPort, threadId } = require('node:worker_threads');

const scripts = new Map();
vm.Script = new Proxy(vm.Script, {
	construct(Script, [text, options]) {
		const script = new Script(text, options);
		scripts.set(options.filename, script);
		return script;
	},
});

const post = parentPort.postMessage;
parentPort.postMessage = function (...message) {
	// Before the answer: a lane that has nothing more to do is ended at once, without a word.
	for (const [filename, script] of scripts) {
		// Several write: never half a file.
		const unfinished = `${filename}.${threadId}`;
		fs.writeFileSync(unfinished, script.createCachedData());
		fs.renameSync(unfinished, `${filename}.cache`);
	}
	post.apply(this, message);
};

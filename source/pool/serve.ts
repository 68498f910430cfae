/** The lane's side of the conversation: takes tasks one after the other and answers each. */
import { parentPort, workerData } from 'node:worker_threads';
import { assert, CanceledError, toWire } from '../base/errors.ts';
import { Lane } from './lane.ts';
import type { LaneData, LaneReply, LaneRequest, Registry, Task } from './task.ts';

/** How many original bytes a lane works through between two signs of life. */
const PROGRESS_BYTES = 4 << 20;

/** Serves the tasks of `registry` on this worker thread until the pool ends it. */
export function serve(registry: Registry): void {
	assert(parentPort, 'a lane runs on a worker thread');
	const port = parentPort;
	const { decoders } = workerData as LaneData;
	const lane = new Lane(() => decoders);
	const reply = (message: LaneReply, transfer: ArrayBuffer[] = []) =>
		port.postMessage(message, transfer);
	reply({ type: 'ready' });
	port.on('message', (request: LaneRequest) => {
		if (request.type === 'trim') {
			lane.trim();
			return;
		}
		const { id } = request;
		try {
			const task = registry[request.name] as Task<unknown, unknown> | undefined;
			assert(task, `no task is called "${request.name}"`);
			lane.setListener(request.hearsOffers ? (what) => reply({ type: 'offer', id, what }) : null);
			const steps = task(request.input, lane);
			let bytes = 0;
			let step = steps.next();
			while (!step.done) {
				if (request.cancel && Atomics.load(request.cancel, 0) !== 0) {
					steps.return(undefined);
					throw new CanceledError();
				}
				bytes += step.value;
				if (bytes >= PROGRESS_BYTES) {
					reply({ type: 'progress', id, bytes });
					bytes = 0;
				}
				step = steps.next();
			}
			reply({ type: 'done', id, output: step.value }, lane.takeTransfers());
		} catch (error) {
			lane.takeTransfers();
			reply({ type: 'failed', id, error: toWire(error) });
		}
	});
}

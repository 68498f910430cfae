/** Entry of a worker thread: one lane of the pool. */
import { serve } from './serve.ts';
import { TASKS } from './tasks.ts';

serve(TASKS);

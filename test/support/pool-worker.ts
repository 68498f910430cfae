import { serve } from '../../source/pool/serve.ts';
import { TEST_TASKS } from './pool-tasks.ts';

serve(TEST_TASKS);

import { runOnDatabase } from '../backup/cli.ts';
import { restoreDatabase } from '../backup/restore.ts';

await runOnDatabase('from', 'Restored', restoreDatabase);

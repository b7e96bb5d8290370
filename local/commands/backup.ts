import { backupDatabase } from '../backup/backup.ts';
import { runOnDatabase } from '../backup/cli.ts';

await runOnDatabase('out', 'Copied', backupDatabase);

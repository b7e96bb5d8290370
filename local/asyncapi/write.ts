import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import { breakingChanges, contractsIn } from './changes.ts';
import { asyncApiDocument, asyncApiFile, asyncApiText } from './document.ts';
import { eventContracts, eventSchemasFile, eventSchemasText } from './eventSchemas.ts';

/** Writes both documents, unless instances that know the committed ones could not run beside those that write these. */
const committed = (file: URL): string | undefined => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);
const [messages, events] = [committed(asyncApiFile), committed(eventSchemasFile)];
const broken = [
  ...(messages ? breakingChanges(contractsIn(parse(messages)), contractsIn(asyncApiDocument())) : []),
  ...(events ? breakingChanges(parse(events), eventContracts(), { isStored: true }) : []),
];
if (broken.length > 0) {
  process.stderr.write(
    `Not written, because instances of the release before rely on it; decision 9 says how to change a schema:\n${broken.join('\n')}\n`,
  );
  process.exitCode = 1;
} else {
  writeFileSync(asyncApiFile, asyncApiText());
  writeFileSync(eventSchemasFile, eventSchemasText());
}

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import { breakingChanges } from './changes.ts';
import { asyncApiDocument, asyncApiFile, asyncApiText } from './document.ts';

/** Writes the document, unless it would break what consumers of the committed one rely on. */
const broken = existsSync(asyncApiFile)
  ? breakingChanges(parse(readFileSync(asyncApiFile, 'utf8')), asyncApiDocument())
  : [];
if (broken.length > 0) {
  process.stderr.write(
    `Not written, because consumers rely on it; raise the message's version:\n${broken.join('\n')}\n`,
  );
  process.exitCode = 1;
} else {
  writeFileSync(asyncApiFile, asyncApiText());
}

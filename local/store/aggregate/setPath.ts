import { type Doc, fieldOf, isDoc, setField, type Value } from '../values/value.ts';

/** A copy of the document with a value at a path; documents on the way are copied, or made. */
export function setPath(doc: Doc, parts: readonly string[], value: Value, at = 0): Doc {
  const out: Doc = { ...doc };
  const name = parts[at]!;
  if (at === parts.length - 1) setField(out, name, value);
  else {
    const below = fieldOf(doc, name);
    setField(out, name, setPath(isDoc(below) ? below : {}, parts, value, at + 1));
  }
  return out;
}

/** A copy of the document without the field at a path. */
export function unsetPath(doc: Doc, parts: readonly string[], at = 0): Doc {
  const name = parts[at]!;
  const below = fieldOf(doc, name);
  if (below === undefined) return doc;
  const out: Doc = { ...doc };
  if (at === parts.length - 1) delete out[name];
  else if (isDoc(below)) setField(out, name, unsetPath(below, parts, at + 1));
  return out;
}

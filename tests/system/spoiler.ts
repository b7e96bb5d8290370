import type { Connection } from 'mongoose';

type Row = Record<string, unknown>;

/** Spoils documents behind the services' backs, and puts back what was there. */
export interface Spoiler {
  /** Changes the documents that match. @throws when there is none */
  change(place: Place, filter: Row, update: Row): Promise<void>;
  /** Removes the documents that match. @throws when there is none */
  remove(place: Place, filter: Row): Promise<void>;
  add(place: Place, document: Row): Promise<void>;
  /** Puts everything back. */
  mend(): Promise<void>;
}

/** `<service>/<collection>` */
export type Place = `${string}/${string}`;

export function createSpoiler(connect: (service: string) => Promise<Connection>): Spoiler {
  const undo: (() => Promise<unknown>)[] = [];
  const open = async (place: Place) => {
    const [service = '', collection = ''] = place.split('/');
    return (await connect(service)).collection(collection);
  };
  const found = async (place: Place, filter: Row) => {
    const collection = await open(place);
    const documents = await collection.find(filter).toArray();
    if (documents.length === 0) throw new Error(`nothing in ${place} matches ${JSON.stringify(filter)}`);
    return { collection, documents };
  };
  return {
    async change(place, filter, update) {
      const { collection, documents } = await found(place, filter);
      for (const one of documents) {
        await collection.updateOne({ _id: one._id }, update);
        undo.push(() => collection.replaceOne({ _id: one._id }, one));
      }
    },
    async remove(place, filter) {
      const { collection, documents } = await found(place, filter);
      await collection.deleteMany(filter);
      undo.push(() => collection.insertMany(documents));
    },
    async add(place, document) {
      const collection = await open(place);
      const { insertedId } = await collection.insertOne(document);
      undo.push(() => collection.deleteOne({ _id: insertedId }));
    },
    async mend() {
      for (const step of undo.splice(0).reverse()) await step();
    },
  };
}

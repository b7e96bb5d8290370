import { v7 } from 'uuid';

/** Makes a new unique id; handed in so that tests can repeat a run. */
export type NewId = () => string;

/** UUID version 7 (RFC 9562): ids made later sort later, which keeps index inserts together. */
export const newId: NewId = () => v7();

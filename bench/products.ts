import { seeded } from '@tradepost/shared/testing/seeded';

export interface GeneratedProduct {
  sku: string;
  name: string;
  description: string;
  category: string;
  price: { amount: number; currency: string };
  attributes: Record<string, string>;
  initialStock: number;
}

const colours = 'red white blue green black pink ivory silver gold grey yellow purple orange turquoise cream'.split(
  ' ',
);
const materials = 'wooden glass ceramic metal cotton paper wicker velvet linen leather marble enamel felt wool'.split(
  ' ',
);
const styles = 'vintage retro hanging antique spotty striped floral painted folding mini large giant set small'.split(
  ' ',
);
const things = (
  'lantern heart bunting basket teapot mug plate bowl tray clock frame candle holder bottle box bag cushion doormat ' +
  'umbrella mirror lamp vase jug shelf hook ornament garland ribbon card notebook pencil puzzle doll tin cutter apron ' +
  'towel blanket stool ladder watering-can birdhouse chime wreath stocking cracker sticker stamp magnet coaster napkin'
).split(' ');
const rooms = 'Kitchen Garden Bedroom Bathroom Office Nursery Hallway Party Christmas Travel'.split(' ');
const kinds = 'Decoration Storage Tableware Textiles Lighting Stationery Gifts Toys'.split(' ');

/** Products of a shop that could be, the same ones for the same seed; skus are unique. */
export function* generateProducts(count: number, seed: number): Generator<GeneratedProduct> {
  const random = seeded(seed);
  // Few words are common and many are rare, as in a real catalogue.
  const any = (from: readonly string[]): string => from[Math.floor(random() ** 2 * from.length)]!;
  const words = (n: number): string =>
    Array.from({ length: n }, () => any([colours, styles, things][Math.floor(random() * 3)]!)).join(' ');
  for (let n = 0; n < count; n += 1) {
    const [colour, material, thing] = [any(colours), any(materials), any(things)];
    yield {
      sku: `GEN-${String(n).padStart(7, '0')}`,
      name: `${any(styles)} ${colour} ${material} ${thing} ${n % 997}`,
      description: `${words(8 + Math.floor(random() * 8))} ${material} ${thing}`,
      category: `${any(rooms)} > ${any(kinds)}`,
      price: { amount: 50 + Math.floor(random() ** 2 * 20_000), currency: 'GBP' },
      attributes: { colour, material },
      initialStock: Math.floor(random() * 500),
    };
  }
}

/** Searches that a shopper could type for these products: whole words, beginnings and slips of the finger. */
export function generateSearches(count: number, seed: number): string[] {
  const random = seeded(seed);
  const any = (from: readonly string[]): string => from[Math.floor(random() * from.length)]!;
  const slip = (word: string): string => {
    const at = 1 + Math.floor(random() * (word.length - 2));
    return word.slice(0, at) + word[at + 1] + word[at] + word.slice(at + 2);
  };
  return Array.from({ length: count }, () => {
    const thing = any(things);
    const kind = random();
    if (kind < 0.4) return `${any(colours)} ${thing}`;
    if (kind < 0.6) return thing.slice(0, 3 + Math.floor(random() * 2));
    if (kind < 0.75) return slip(thing);
    return `${any(styles)} ${any(materials)} ${thing}`;
  });
}

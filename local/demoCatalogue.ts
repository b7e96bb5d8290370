/** A row of `POST /api/products/import`. */
interface DemoProduct {
  sku: string;
  name: string;
  description: string;
  category: string;
  price: { amount: number; currency: 'GBP' };
  attributes: Record<string, string>;
  initialStock: number;
}

function product(
  category: string,
  sku: string,
  name: string,
  pence: number,
  initialStock: number,
  description: string,
  attributes: Record<string, string>,
): DemoProduct {
  return { sku, name, description, category, price: { amount: pence, currency: 'GBP' }, attributes, initialStock };
}

/** An invented shop of things for the house, for people who want to look round; prices in pence sterling. */
export const demoCatalogue: readonly DemoProduct[] = [
  product('Kitchen', 'KIT-TEAPOT', 'Stoneware teapot', 3450, 40, 'Holds four cups and pours without a drip.', {
    colour: 'moss',
    capacity: '1.1 l',
  }),
  product('Kitchen', 'KIT-MUG', 'Everyday mug', 950, 160, 'Thick walls keep tea warm to the last page.', {
    colour: 'oat',
    capacity: '350 ml',
  }),
  product('Kitchen', 'KIT-BOARD', 'Oak bread board', 2800, 35, 'One piece of oak with a groove for the crumbs.', {
    material: 'oak',
    size: '40 x 25 cm',
  }),
  product('Kitchen', 'KIT-KNIFE', 'Little kitchen knife', 1250, 80, 'Short, sharp, and good for nearly everything.', {
    material: 'steel',
    length: '9 cm',
  }),
  product('Garden', 'GAR-CAN', 'Long-necked watering can', 2650, 30, 'Reaches the pots at the back of the sill.', {
    material: 'galvanised steel',
    capacity: '3 l',
  }),
  product('Garden', 'GAR-TROWEL', 'Hand trowel', 1400, 60, 'Ash handle, marked every two centimetres.', {
    material: 'steel and ash',
  }),
  product('Garden', 'GAR-TWINE', 'Jute twine', 480, 200, 'Ties up beans now and rots away when they are done.', {
    length: '80 m',
  }),
  product('Garden', 'GAR-SEEDS', 'Meadow flower seeds', 390, 250, 'Twelve native flowers for a sunny square metre.', {
    weight: '10 g',
  }),
  product('Stationery', 'STA-NOTE', 'Dotted notebook', 1150, 120, 'Lies flat, takes fountain ink, has page numbers.', {
    pages: '192',
    size: 'A5',
  }),
  product('Stationery', 'STA-PENCIL', 'Cedar pencils, set of six', 620, 140, 'From 2H to 4B, not one with an eraser.', {
    material: 'cedar',
  }),
  product('Stationery', 'STA-INK', 'Blue-black ink', 890, 45, 'Goes on blue and dries nearly black by evening.', {
    capacity: '50 ml',
  }),
  product('Stationery', 'STA-CARDS', 'Letterpress cards', 1600, 50, 'Ten cards and envelopes, blank inside.', {
    size: 'A6',
  }),
  product('Lighting', 'LIG-DESK', 'Clamp desk lamp', 5900, 18, 'Two joints, one switch, no app.', {
    colour: 'brick red',
    power: '8 W',
  }),
  product('Lighting', 'LIG-STRING', 'Warm string lights', 1850, 70, 'Forty small lamps on a cloth-covered wire.', {
    length: '6 m',
  }),
  product('Lighting', 'LIG-LANTERN', 'Storm lantern', 3200, 25, 'Keeps a candle alight on a windy balcony.', {
    height: '28 cm',
  }),
  product(
    'Lighting',
    'LIG-CANDLE',
    'Beeswax candles, pair',
    990,
    110,
    'Burn for nine hours and smell of very little.',
    {
      height: '20 cm',
    },
  ),
  product('Toys', 'TOY-BLOCKS', 'Beech building blocks', 3600, 28, 'Forty-eight blocks that all share one measure.', {
    material: 'beech',
    age: '2+',
  }),
  product('Toys', 'TOY-KITE', 'Small blue kite', 1750, 40, 'Flies in a breeze that hardly moves the leaves.', {
    age: '6+',
  }),
  product('Toys', 'TOY-PUZZLE', 'Night map puzzle', 2200, 32, 'A thousand pieces, most of them dark blue.', {
    pieces: '1000',
  }),
  product('Toys', 'TOY-TOP', 'Spinning top', 540, 3, 'Turned by hand; the last ones of this year.', {
    material: 'maple',
  }),
  product('Textiles', 'TEX-TOWEL', 'Linen tea towel', 1100, 90, 'Dries glasses and leaves nothing behind.', {
    material: 'linen',
    size: '70 x 50 cm',
  }),
  product('Textiles', 'TEX-BLANKET', 'Lambswool blanket', 8900, 15, 'Woven in a herringbone, heavy enough for two.', {
    material: 'lambswool',
    size: '180 x 140 cm',
  }),
  product('Textiles', 'TEX-APRON', 'Waxed apron', 4200, 22, 'Deep pockets, and a loop for the towel.', {
    material: 'waxed cotton',
  }),
  product('Textiles', 'TEX-SOCKS', 'Walking socks', 1350, 0, 'Ribbed to stay up; back in stock soon.', {
    material: 'merino',
    size: '39-42',
  }),
];

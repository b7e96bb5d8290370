/** What a shopper types, and the products (by sku) that the first ten answers must hold. */
export interface ShopperQuery {
  search: string;
  expected: readonly string[];
  /** How many of the expected ones must be there; all of them when absent. For searches that fit more than ten. */
  atLeast?: number;
}

/**
 * Thirty searches over the catalogue of the Online Retail data set (Chen, Sain and Guo 2012, doi:10.1057/dbm.2012.17,
 * UCI dataset 352), written down before the search was built and never fitted to its answers.
 */
export const shopperQueries: readonly ShopperQuery[] = [
  { search: 'white hanging heart', expected: ['85123A'] },
  { search: 'heart hanging t-light holder red', expected: ['21733'] },
  {
    search: 'lantren',
    expected: [
      ...['21324', '22224', '22464', '22465', '22784', '23040', '23041', '23042', '23043', '23044', '23045', '23046'],
      ...['23047', '23048', '23082', '23083', '23099', '40016', '71053', '84760S'],
    ],
    atLeast: 9,
  },
  {
    search: 'lunch bags',
    expected: [
      ...['20725', '20726', '20727', '20728', '22382', '22383', '22384', '22662', '23206', '23207', '23208', '23209'],
      ...['23583', '23681'],
    ],
    atLeast: 9,
  },
  { search: 'red retrospot lunch bag', expected: ['20725'] },
  { search: 'teapots', expected: ['21527', '21528', '22649', '23173', '37500'] },
  { search: 'union jack door mat', expected: ['21955'] },
  { search: 'cake stand 3 tier', expected: ['22236', '22890', '22423', '22776'] },
  { search: 'alarm clocks', expected: ['22725', '22726', '22727', '22728', '22729', '22730', '84659A'] },
  { search: 'childrens umbrella', expected: ['20681', '20682', '20686'] },
  { search: 'umbrela polkadot', expected: ['20681', '21706', '21707', '21708', '21709', '21710', '21711', '85014A'] },
  { search: 'christmas paper chain', expected: ['22086', '22910'] },
  {
    search: 'egg cups',
    expected: [
      ...['21397', '22269', '22975', '22976', '22977', '22988', '23564', '23565', '23566', '23567', '23568', '35914'],
    ],
    atLeast: 9,
  },
  { search: 'union jack hot water bottle', expected: ['22125'] },
  { search: 'gingerbread cookie cuter', expected: ['22966'] },
  { search: 'chrismas bunting', expected: ['23313'] },
  { search: 'jig saw puzzle', expected: ['21913'] },
  { search: 'picture frame white', expected: ['22169', '82482'] },
  { search: '85099b', expected: ['85099B'] },
  {
    search: 'jumbo bag',
    expected: [
      ...['20711', '20712', '20713', '21033', '21928', '21929', '22385', '22386', '22663', '23199', '23200', '23201'],
      ...['23202', '23203', '23343', '23344', '23581', '23582', '85099B', '85099C', '85099F'],
    ],
    atLeast: 9,
  },
  { search: 'bird feeder', expected: ['23465', '23466'] },
  { search: 'wooden advent calender', expected: ['22946', '22947', '35400'] },
  { search: 'scarf knitting kit', expected: ['82615', '82616B', '82616C'] },
  { search: 'choc hot water', expected: ['22112'] },
  { search: 'dolly girl lunchbox', expected: ['22630'] },
  { search: 'eau de nîle photo frame', expected: ['85025B', '85023B', '85024B'] },
  { search: 'childrens apron', expected: ['21156', '22367', '22898', '22899', '47591B', '47591D'] },
  { search: 'wall clock for kitchen', expected: ['23428', '23429', '23430'] },
  { search: 'wicker picnic baskets', expected: ['22501', '22502'] },
  { search: 'wash bag rose', expected: ['22276', '21001', '84912A', '84912B'] },
];

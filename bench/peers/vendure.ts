import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts, type TestServer } from '../../tests/real/servers.ts';
import { install } from './install.ts';
import { inTurn, makeHome, type Peer, type PeerOptions, runOnce, startNode } from './peer.ts';

const version = '3.7.3';

const indexLimitMs = 300_000;

/** A server and its worker, as Vendure's guide to production has them. */
export async function startVendure({
  folder,
  databasePort,
  catalogue,
  catalogueFile,
  say,
}: PeerOptions): Promise<Peer> {
  const installed = await install('vendure', { '@vendure/core': version, pg: '8.23.1' }, say);
  const home = makeHome(folder, 'vendure', installed, { 'vendure.cjs': 'vendure.cjs' });
  const password = randomBytes(12).toString('base64url');
  const [port, workerPort] = await freePorts(2);
  const program = (role: string, port = 0) => ({
    ...{ name: `Vendure's ${role}`, home, args: ['vendure.cjs', role] },
    environment: {
      ...{ DATABASE_PORT: String(databasePort), PORT: String(port), CATALOGUE: catalogueFile },
      ...{ ADMIN_PASSWORD: password, VENDURE_DISABLE_TELEMETRY: 'true' },
    },
  });
  say('filling Vendure');
  await runOnce(program('fill'));
  say('starting Vendure: a server and a worker');
  const processes: TestServer[] = [];
  const stop = async () => void (await Promise.all(processes.map(one => one.close())));
  const url = `http://127.0.0.1:${port}`;
  try {
    processes.push(await startNode(program('server', port), `${url}/health`));
    processes.push(await startNode(program('worker', workerPort), `http://127.0.0.1:${workerPort}/health`));
    await buildIndex(url, password);
    const found = await ask(url, list);
    if (found.search.items.length !== 20 || found.search.totalItems !== catalogue.length) {
      throw new Error(`Vendure lists ${found.search.items.length} of ${found.search.totalItems} products`);
    }
    const ids = await idsOf(url, catalogue.length);
    return {
      name: 'Vendure',
      setup: `Vendure ${version}: a server and a worker, jobs and search index in the database`,
      pids: () => processes.flatMap(one => one.pid() ?? []),
      buy: ({ buyer, turn, signal }) => buy(url, ids[turn % ids.length]!.variant, buyer, signal),
      list: { name: 'Vendure', url, pids: [], requests: [post(list)] },
      detail: {
        name: 'Vendure',
        url,
        pids: [],
        requests: inTurn(ids.map(({ product }) => post(detail, { id: product }))),
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const list = `{ search(input: { take: 20, groupByProduct: true }) { totalItems items {
  productId productName slug currencyCode priceWithTax { ... on SinglePrice { value } ... on PriceRange { min max } }
} } }`;

const detail = `query ($id: ID) { product(id: $id) {
  id name slug description variants { id sku name priceWithTax currencyCode stockLevel }
} }`;

const refused = '... on ErrorResult { errorCode message }';

/** What a storefront sends for a guest; each asks for no more of the order than it needs. */
const steps = {
  add: `mutation ($id: ID!) { step: addItemToOrder(productVariantId: $id, quantity: 1) { __typename ${refused} } }`,
  customer: `mutation ($input: CreateCustomerInput!) { step: setCustomerForOrder(input: $input) { __typename ${refused} } }`,
  address: `mutation ($input: CreateAddressInput!) { step: setOrderShippingAddress(input: $input) { __typename ${refused} } }`,
  shipping: `mutation { step: setOrderShippingMethod(shippingMethodId: [1]) { __typename ${refused} } }`,
  arrange: `mutation { step: transitionOrderToState(state: "ArrangingPayment") { __typename ${refused} } }`,
  pay: `mutation { step: addPaymentToOrder(input: { method: "dummy", metadata: {} }) { __typename ... on Order { state } ${refused} } }`,
};

async function buy(url: string, variant: string, buyer: number, signal: AbortSignal): Promise<void> {
  const session: Session = { token: undefined };
  const step = async (name: keyof typeof steps, variables = {}) => {
    const { step: answer } = await ask(url, steps[name], { variables, session, signal });
    if (answer?.__typename !== 'Order') throw new Error(`${name}: ${answer?.errorCode} ${answer?.message}`);
    return answer;
  };
  await step('add', { id: variant });
  const email = `buyer-${buyer}@example.com`;
  await step('customer', { input: { firstName: 'Ada', lastName: 'Byron', emailAddress: email } });
  await step('address', {
    input: { fullName: 'Ada', streetLine1: '12 Mill Lane', city: 'York', postalCode: 'YO1 7HH', countryCode: 'GB' },
  });
  await step('shipping');
  await step('arrange');
  const { state } = await step('pay');
  if (state !== 'PaymentSettled') throw new Error(`the order is ${state}`);
}

/** The token that the first answer of a session brings. */
interface Session {
  token: string | undefined;
}

interface AskOptions {
  api?: 'shop-api' | 'admin-api';
  variables?: object;
  session?: Session;
  signal?: AbortSignal;
}

async function ask(url: string, query: string, options: AskOptions = {}) {
  const { api = 'shop-api', variables = {}, session, signal = AbortSignal.timeout(30_000) } = options;
  const response = await fetch(`${url}/${api}`, {
    ...{ method: 'POST', signal, body: JSON.stringify({ query, variables }) },
    headers: {
      'Content-Type': 'application/json',
      ...(session?.token ? { Authorization: `Bearer ${session.token}` } : {}),
    },
  });
  // biome-ignore lint/suspicious/noExplicitAny: each query has an answer of its own shape
  const answer = (await response.json()) as { data?: any; errors?: { message: string }[] };
  if (!answer.data || answer.errors) throw new Error(`${response.status} ${answer.errors?.[0]?.message}`);
  if (session) session.token ??= response.headers.get('vendure-auth-token') ?? undefined;
  return answer.data;
}

const post = (query: string, variables = {}) => ({
  ...{ method: 'POST' as const, path: '/shop-api', headers: { 'Content-Type': 'application/json' } },
  body: JSON.stringify({ query, variables }),
});

/** Has the index built anew, and waits until the worker has nothing left to do. */
async function buildIndex(url: string, password: string): Promise<void> {
  const session: Session = { token: undefined };
  const admin = (query: string, variables = {}) => ask(url, query, { api: 'admin-api', variables, session });
  const { login } = await admin(
    'mutation ($password: String!) { login(username: "superadmin", password: $password) { __typename } }',
    { password },
  );
  if (login.__typename !== 'CurrentUser') throw new Error(`Vendure's admin cannot log in: ${login.__typename}`);
  await admin('mutation { reindex { id } }');
  for (const until = performance.now() + indexLimitMs; ; await sleep(500)) {
    const { jobs } = await admin('{ jobs(options: { filter: { isSettled: { eq: false } } }) { totalItems } }');
    if (jobs.totalItems === 0) return;
    if (performance.now() > until) throw new Error(`Vendure's index is not built: ${jobs.totalItems} jobs are left`);
  }
}

async function idsOf(url: string, count: number): Promise<{ product: string; variant: string }[]> {
  const { products } = await ask(url, `{ products(options: { take: ${count} }) { items { id variants { id } } } }`);
  return products.items.map(({ id, variants }: { id: string; variants: { id: string }[] }) => ({
    ...{ product: id, variant: variants[0]!.id },
  }));
}

import { setTimeout as sleep } from 'node:timers/promises';
import { median } from './measure.ts';
import { bars, type Report, table } from './report.ts';
import { type BenchShop, startEmbeddedShop } from './shop.ts';

export interface SignInOptions {
  /** Sign-ins with a wrong password for addresses with an account, and as many for addresses without. */
  samples: number;
  /** Wrong passwords in the floods. */
  perSecond: number;
  /** Length of each flood. */
  seconds: number;
  say(line: string): void;
}

const password = 'a long enough password';
/** Fewer than an account takes in 15 minutes. */
const perAccount = 8;

/**
 * What guessing costs others: whether the time of an answer tells that an address has an account, and how the shop
 * fares while somebody tries passwords from one address, or from as many as there are tries.
 */
export async function benchSignIn(options: SignInOptions): Promise<Report> {
  // The limit of an address is as it is by default; clients say which address they have.
  const environment = { AUTH_RATE_LIMIT: '100', TRUST_PROXY: '1', LOG_LEVEL: 'error' };
  const shop = await startEmbeddedShop({ say: options.say, environment });
  try {
    const users = await registerAll(shop, Math.ceil(options.samples / perAccount));
    const times = await answerTimes(shop, users, options);
    options.say(
      `wrong passwords: ${times.known.toFixed(2)} ms with an account, ${times.unknown.toFixed(2)} ms without`,
    );
    const quiet = await meanwhile(shop, users, options, async () => sleep(options.seconds * 1_000));
    const one = await flooded('one address', shop, users, options, () => '203.0.113.7');
    const many = await flooded('an address each', shop, users, options, anyAddress);
    return reportOf({ times, floods: [{ name: 'nobody', ...quiet }, one, many] }, options);
  } finally {
    await shop.stop();
  }
}

let addresses = 0;
/** An address that nobody had before, each in a network of its own. */
function anyAddress(): string {
  addresses += 1;
  return `10.${(addresses >> 16) & 0xff}.${(addresses >> 8) & 0xff}.${addresses & 0xff}`;
}

interface User {
  email: string;
  token: string;
}

const signIn = async (shop: BenchShop, email: string, tried: string, from: string) => {
  const headers = { 'X-Forwarded-For': from };
  const began = performance.now();
  const { status } = await shop.send('POST', '/api/users/login', { body: { email, password: tried }, headers });
  return { status, ms: performance.now() - began };
};

async function registerAll(shop: BenchShop, count: number): Promise<User[]> {
  const users: User[] = [];
  for (let n = 0; n < count; n += 1) {
    const email = `known-${n}@example.com`;
    const headers = { 'X-Forwarded-For': anyAddress() };
    const { body } = await shop.send('POST', '/api/users/register', {
      body: { email, password, name: 'Ada' },
      headers,
    });
    users.push({ email, token: body.accessToken });
  }
  return users;
}

/** Medians of answers to wrong passwords, in milliseconds; asked in turn, so that a busy moment strikes both alike. */
async function answerTimes(shop: BenchShop, users: readonly User[], { samples }: SignInOptions) {
  const [known, unknown]: [number[], number[]] = [[], []];
  for (let n = 0; n < samples; n += 1) {
    const account = Math.floor(n / perAccount);
    const user = users[account]!;
    for (const [email, times] of [
      [user.email, known],
      [`nobody-${account}@example.com`, unknown],
    ] as const) {
      const { status, ms } = await signIn(shop, email, 'wrong wrong wrong', anyAddress());
      // What a busy machine was too slow for says nothing of addresses.
      if (status < 500) times.push(ms);
      if (status < 500 && status !== 401) throw new Error(`a wrong password was answered ${status}`);
    }
  }
  return { known: median(known), unknown: median(unknown) };
}

interface Others {
  /** 99 % of other requests were answered within so many milliseconds. */
  p99: number;
  failed: number;
  /** Tries that each customer needed who signed in from an address of their own. */
  tries: number[];
}

/** How other requests fare while something goes on. */
async function meanwhile(
  shop: BenchShop,
  users: readonly User[],
  options: SignInOptions,
  going: () => Promise<void>,
): Promise<Others> {
  let over = false;
  const times: number[] = [];
  let failed = 0;
  const read = async (token: string) => {
    for (let n = 0; !over; n += 1) {
      const began = performance.now();
      const path = n % 2 === 0 ? '/api/users/me' : '/api/products?limit=20';
      const { status } = await shop.send('GET', path, { token });
      times.push(performance.now() - began);
      if (status !== 200) failed += 1;
      await sleep(50);
    }
  };
  const tries: number[] = [];
  const comeAndGo = async (all: readonly User[]) => {
    for (let n = 0; !over; n += 1) {
      const { email } = all[n % all.length]!;
      let count = 1;
      while ((await signIn(shop, email, password, anyAddress())).status !== 200) {
        count += 1;
        // As Retry-After says.
        await sleep(1_000);
      }
      tries.push(count);
      await sleep(200);
    }
  };
  const others = [...users.slice(0, 4).map(({ token }) => read(token)), comeAndGo(users.slice(4))];
  await going();
  over = true;
  await Promise.all(others);
  times.sort((a, b) => a - b);
  options.say(`${times.length} other requests, p99 ${times[Math.floor(times.length * 0.99)]!.toFixed(1)} ms`);
  return { p99: times[Math.floor(times.length * 0.99)]!, failed, tries };
}

/** The same while wrong passwords come in at a steady rate, whatever becomes of them. */
async function flooded(
  name: string,
  shop: BenchShop,
  users: readonly User[],
  options: SignInOptions,
  addressOf: () => string,
) {
  const statuses = new Map<number, number>();
  const { perSecond, seconds, say } = options;
  const others = await meanwhile(shop, users, options, async () => {
    const running: Promise<void>[] = [];
    const began = performance.now();
    for (let n = 0; n < perSecond * seconds; n += 1) {
      const early = began + (n * 1_000) / perSecond - performance.now();
      if (early > 0) await sleep(early);
      const tried = signIn(shop, `guessed-${addresses}-${n}@example.com`, 'wrong wrong wrong', addressOf());
      running.push(tried.then(({ status }) => void statuses.set(status, (statuses.get(status) ?? 0) + 1)));
    }
    await Promise.all(running);
  });
  say(`flood from ${name}: ${[...statuses].map(([status, count]) => `${status}: ${count}`).join(', ')}`);
  return { name, ...others, statuses };
}

type Flood = Others & { name: string; statuses?: Map<number, number> };

async function reportOf(
  { times, floods }: { times: { known: number; unknown: number }; floods: readonly Flood[] },
  { samples, perSecond, seconds }: SignInOptions,
): Promise<Report> {
  const apart = 100 * Math.abs(times.known / times.unknown - 1);
  const rows = floods.map(({ name, p99, failed, tries, statuses }) => [
    ...[
      name,
      statuses
        ? [...statuses]
            .sort()
            .map(([status, count]) => `${count} × ${status}`)
            .join(', ')
        : '',
    ],
    ...[p99.toFixed(1), String(failed), String(tries.length)],
    tries.length > 0 ? `${median(tries)}, at most ${Math.max(...tries)}` : '',
  ]);
  return {
    title: 'Signing in while somebody guesses',
    text: `A wrong password is answered after ${times.known.toFixed(2)} ms for an address with an account, and after ${times.unknown.toFixed(2)} ms for one without:
${apart.toFixed(1)} % apart (medians of ${samples} each, asked in turn). The answers are the same.

${perSecond} wrong passwords a second for ${seconds} s, each for another account, against \`npm start\` with the limits that it has; meanwhile 4 customers
who are signed in read their account and the catalogue, and others sign in, each from an address of their own.

${table(['wrong passwords from', 'their answers', 'other requests, p99 ms', 'that failed', 'sign-ins', 'tries each took'], rows)}

![Other requests](sign-in.svg)
`,
    plots: {
      'sign-in.svg': await bars({
        title: '99 % of other requests are answered within',
        unit: 'ms',
        values: floods.map(({ name, p99 }) => ({ name: `wrong passwords from ${name}`, value: p99 })),
      }),
    },
    ratios: { 'sign-in.known-to-unknown': times.known / times.unknown },
  };
}

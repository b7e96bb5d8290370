import { AsyncLocalStorage } from 'node:async_hooks';

/** Something that can happen next. */
export interface Choice {
  label: string;
  /** The instance whose process it belongs to; gone with it. */
  owner: string;
  run(): void;
}

/** A choice that does not happen by itself. */
export interface Held {
  /** The choice, once it is there. */
  choice(): Choice | undefined;
  /** Lets it happen now. */
  letGo(): Promise<void>;
}

export interface Scheduler {
  /** Waits until the scheduler lets this go on. */
  wait(label: string, owner?: string): Promise<void>;
  /** Adds something that can happen once, at any later time. */
  offer(choice: Choice): void;
  /** Takes back what was offered. */
  withdraw(choice: Choice): void;
  /** Keeps the first choice that fits, now or later, from happening until it is let go. */
  hold(fits: (choice: Choice) => boolean): Held;
  /** Everything that can happen now, but for what is held and what belongs to frozen instances. */
  choices(): Choice[];
  /** Lets one choice happen and waits until everything that follows from it at once has happened. */
  take(choice: Choice): Promise<void>;
  /** Forgets all that belongs to an instance. */
  drop(owner: string): void;
  freeze(owner: string, frozen: boolean): void;
  isFrozen(owner: string): boolean;
  /** Says that something moves without having been chosen: whoever waits for quiet lets it go on first. */
  touch(): void;
  /** Resolves when nothing moves any more without the scheduler. */
  quiet(): Promise<void>;
  /** What has happened, in order. */
  trace: string[];
}

const owners = new AsyncLocalStorage<{ owner: string; scheduler: Scheduler }>();

/** Runs work as part of an instance's process in the world of a scheduler. */
export const as = <T>(scheduler: Scheduler, owner: string, work: () => T): T => owners.run({ owner, scheduler }, work);

/** Owner of what is no instance's: the clients, and whoever looks on. */
export const nobody = 'world';

/** The instance that the current code belongs to. */
export const currentOwner = (): string => owners.getStore()?.owner ?? nobody;

/** Whether the current code was left over from a world that is gone. */
export const isLeftOver = (scheduler: Scheduler): boolean => (owners.getStore()?.scheduler ?? scheduler) !== scheduler;

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** A single thread of decisions: all that waits stands in one list, and whoever explores picks from it. */
export function createScheduler(): Scheduler {
  const waiting: Choice[] = [];
  const frozen = new Set<string>();
  const holds: { fits(choice: Choice): boolean; choice?: Choice }[] = [];
  const trace: string[] = [];
  let moves = 0;
  const touch = (): void => {
    moves += 1;
  };
  let calmAt = -1;
  const quiet = async (): Promise<void> => {
    // A turn of the event loop without a move: nothing but the scheduler can go on.
    while (calmAt !== moves) {
      calmAt = moves;
      await turn();
    }
  };
  const add = (choice: Choice): void => {
    touch();
    waiting.push(choice);
    const hold = holds.find(one => !one.choice && one.fits(choice));
    if (hold) hold.choice = choice;
  };
  const take = async (choice: Choice): Promise<void> => {
    waiting.splice(waiting.indexOf(choice), 1);
    trace.push(`${choice.owner}: ${choice.label}`);
    touch();
    choice.run();
    await quiet();
  };
  return {
    wait: (label, owner = currentOwner()) => new Promise(resolve => add({ label, owner, run: resolve })),
    offer: add,
    withdraw(choice) {
      const index = waiting.indexOf(choice);
      if (index >= 0) waiting.splice(index, 1);
    },
    hold(fits) {
      const hold: (typeof holds)[number] = { fits };
      const there = waiting.find(choice => fits(choice) && !holds.some(one => one.choice === choice));
      if (there) hold.choice = there;
      holds.push(hold);
      return {
        choice: () => hold.choice,
        async letGo() {
          holds.splice(holds.indexOf(hold), 1);
          if (hold.choice && waiting.includes(hold.choice)) await take(hold.choice);
        },
      };
    },
    choices: () => waiting.filter(one => !frozen.has(one.owner) && !holds.some(hold => hold.choice === one)),
    take,
    drop(owner) {
      for (let index = waiting.length - 1; index >= 0; index -= 1) {
        if (waiting[index]?.owner === owner) waiting.splice(index, 1);
      }
      frozen.delete(owner);
    },
    freeze(owner, isFrozen) {
      if (isFrozen) frozen.add(owner);
      else frozen.delete(owner);
    },
    isFrozen: owner => frozen.has(owner),
    touch,
    quiet,
    trace,
  };
}

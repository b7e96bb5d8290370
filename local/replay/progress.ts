import { SingleBar } from 'cli-progress';

export interface Progress {
  /** One more order is done. */
  tick(): void;
  /** Something to say meanwhile, without spoiling the bar. */
  note(text: string): void;
  stop(): void;
}

const lineEveryMs = 5_000;

/** A bar on a terminal; a line now and then elsewhere. */
export function createProgress(stream: NodeJS.WriteStream, total: number): Progress {
  return stream.isTTY ? barOn(stream, total) : linesOn(stream, total);
}

function barOn(stream: NodeJS.WriteStream, total: number): Progress {
  const bar = new SingleBar({
    stream,
    format: 'orders {bar} {value}/{total} · {eta_formatted} left',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
  });
  bar.start(total, 0);
  return {
    tick: () => bar.increment(),
    note: text => stream.write(`\r\u001b[K${text}\n`),
    stop: () => bar.stop(),
  };
}

function linesOn(stream: NodeJS.WriteStream, total: number): Progress {
  let done = 0;
  const timer = setInterval(() => stream.write(`${done} of ${total} orders\n`), lineEveryMs);
  return {
    tick() {
      done += 1;
    },
    note: text => stream.write(`${text}\n`),
    stop() {
      clearInterval(timer);
      stream.write(`${done} of ${total} orders\n`);
    },
  };
}

import { SingleBar } from 'cli-progress';

const lineEveryMs = 5_000;

/**
 * Shows how far a long command is: a bar on a terminal, a line now and then elsewhere.
 * @param stream where it is shown, by default on standard error
 */
export async function withProgress<T>(
  unit: string,
  work: (onProgress: (done: number, total: number) => void) => Promise<T>,
  stream: NodeJS.WriteStream = process.stderr,
): Promise<T> {
  if (!stream.isTTY) {
    let saidAt = Date.now();
    return work((done, total) => {
      if (Date.now() - saidAt < lineEveryMs) return;
      saidAt = Date.now();
      stream.write(`${done} of ${total} ${unit}\n`);
    });
  }
  const bar = new SingleBar({
    stream,
    format: `${unit} {bar} {value}/{total} · {eta_formatted} left`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: true,
  });
  bar.start(1, 0);
  try {
    return await work((done, total) => {
      bar.setTotal(total);
      bar.update(done);
    });
  } finally {
    bar.stop();
  }
}

import type { OutputCollector, OutputStream, RunOutput, WorkerSpec } from '@hsu-master/core';

/** Keeps all output of one run in memory, byte for byte. */
export class KeptOutput implements RunOutput {
  readonly #chunks: Record<OutputStream, Uint8Array[]> = { stdout: [], stderr: [] };
  readonly ended: OutputStream[] = [];
  /** Called after each chunk and each end. */
  onNews: () => void = () => {};

  openChannels(): null {
    return null;
  }

  write(stream: OutputStream, chunk: Uint8Array, done: () => void): void {
    this.#chunks[stream].push(new Uint8Array(chunk));
    done();
    this.onNews();
  }

  end(stream: OutputStream): void {
    this.ended.push(stream);
    this.onNews();
  }

  bytes(stream: OutputStream): Uint8Array {
    const chunks = this.#chunks[stream];
    const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    let at = 0;
    for (const chunk of chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  text(stream: OutputStream): string {
    return new TextDecoder().decode(this.bytes(stream));
  }
}

/** Keeps the output of all runs in memory. */
export class FakeCollector implements OutputCollector {
  readonly outputs = new Map<string, KeptOutput>();

  open(spec: WorkerSpec, run: number): RunOutput {
    const output = new KeptOutput();
    this.outputs.set(`${spec.id}/${run}`, output);
    return output;
  }

  resume(): null {
    return null;
  }
}

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { creature } from '@hsu-master/testkit';
import { eventually, type Stage } from './drive.ts';

/** A program of somebody else, which makes as many processes as it may whenever it is asked to. */
export class Foreign {
  readonly pid: number;
  readonly #stage: Stage;

  private constructor(stage: Stage, pid: number) {
    this.#stage = stage;
    this.pid = pid;
  }

  static async begin(stage: Stage): Promise<Foreign> {
    const forks = creature('forks', '40', 'kill-all').join(' ');
    const script = `echo $$ > foreign.new; mv foreign.new foreign.pid
      while :; do
        if [ -e go ]; then rm go; setsid ${forks} > said.new 2>&1; mv said.new said; fi
        sleep 0.05
      done`;
    const line = `setsid sh ${stage.write('foreign.sh', script)} > /dev/null 2>&1 &`;
    await stage.launch(['sh', '-c', line]).ended;
    await eventually(() => existsSync(stage.path('foreign.pid')));
    return new Foreign(stage, Number(readFileSync(stage.path('foreign.pid'), 'utf8')));
  }

  /** How far it comes now. */
  async forks(): Promise<string> {
    rmSync(this.#stage.path('said'), { force: true });
    writeFileSync(this.#stage.path('go'), '');
    await eventually(() => existsSync(this.#stage.path('said')));
    return readFileSync(this.#stage.path('said'), 'utf8').split('\n')[0] ?? '';
  }
}

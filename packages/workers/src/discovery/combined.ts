import type { Look, Matcher } from './matcher.ts';
import { bothNeeds, NOTHING } from './process.ts';

function needsOf(matchers: readonly Matcher[]) {
  return matchers.reduce((needs, one) => bothNeeds(needs, one.needs), NOTHING);
}

/** All of them are true of it. */
export function allOf(matchers: readonly Matcher[]): Matcher {
  return {
    needs: needsOf(matchers),
    async begin(tools): Promise<Look> {
      const looks = await Promise.all(matchers.map(async (one) => one.begin(tools)));
      const bound = looks.map(({ pids }) => pids).filter((pids) => pids !== null);
      const pids = bound.length === 0 ? null : bound.reduce((a, b) => a.filter((pid) => b.includes(pid)));
      return {
        pids,
        absent: looks.find(({ absent }) => absent !== '')?.absent ?? '',
        matches(process, around) {
          let reason: string | null = null;
          for (const look of looks) {
            const answer = look.matches(process, around);
            if (answer === false) return false;
            if (typeof answer === 'string') reason = answer;
          }
          return reason ?? true;
        },
      };
    },
  };
}

/** At least one of them is true of it. */
export function anyOf(matchers: readonly Matcher[]): Matcher {
  return {
    needs: needsOf(matchers),
    async begin(tools): Promise<Look> {
      const looks = await Promise.all(matchers.map(async (one) => one.begin(tools)));
      const isBound = looks.every(({ pids }) => pids !== null);
      const isAbsent = looks.every(({ absent }) => absent !== '');
      return {
        pids: isBound ? [...new Set(looks.flatMap(({ pids }) => pids ?? []))] : null,
        absent: isAbsent ? looks.map(({ absent }) => absent).join('; ') : '',
        matches(process, around) {
          const answers = looks.map((look) => look.matches(process, around));
          if (answers.includes(true)) return true;
          return answers.find((answer) => typeof answer === 'string') ?? false;
        },
      };
    },
  };
}

import type { Matcher } from './matcher.ts';

/** Children of whoever `parent` finds. */
export function childOf(parent: Matcher): Matcher {
  return {
    needs: parent.needs,
    async begin(tools) {
      const look = await parent.begin(tools);
      return {
        pids: null,
        absent: look.absent,
        matches(process, around) {
          const above = around.byPid(process.ppid);
          return above !== undefined && look.matches(above, around) === true;
        },
      };
    },
  };
}

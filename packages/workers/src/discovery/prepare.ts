import type { Strategy } from '@hsu-master/core';
import { allOf, anyOf } from './combined.ts';
import { commandLine } from './command-line.ts';
import { directory } from './directory.ts';
import { environment } from './environment.ts';
import { executable } from './executable.ts';
import type { Matcher, Tools } from './matcher.ts';
import { name } from './name.ts';
import { openFile } from './open-file.ts';
import { childOf } from './parent.ts';
import { pidFile } from './pid-file.ts';
import { port } from './port.ts';
import { service } from './service.ts';
import { user } from './user.ts';

/** Makes a strategy ready for looks. */
export function matcherOf(strategy: Strategy, tools: Pick<Tools, 'realPath'>): Matcher {
  switch (strategy.kind) {
    case 'pid-file':
      return pidFile(strategy);
    case 'name':
      return name(strategy);
    case 'command-line':
      return commandLine(strategy);
    case 'port':
      return port(strategy);
    case 'parent':
      return childOf(matcherOf(strategy.parent, tools));
    case 'environment':
      return environment(strategy);
    case 'directory':
      return directory(strategy);
    case 'user':
      return user(strategy);
    case 'open-file':
      return openFile(strategy, tools.realPath);
    case 'executable':
      return executable(strategy);
    case 'service':
      return service(strategy);
    case 'all':
      return allOf(strategy.of.map((one) => matcherOf(one, tools)));
    case 'any':
      return anyOf(strategy.of.map((one) => matcherOf(one, tools)));
  }
}

import type { Clock, EventDraft, Tokens } from '@hsu-master/core';
import { type AuditFile, openAuditFile } from './audit-file.ts';
import { TokenGate } from './gate.ts';
import { TokenFile } from './token-file.ts';
import { tokensOf } from './tokens.ts';

/** Who is let in over the network, and what is written down of what everybody does. */
export interface Access {
  readonly gate: TokenGate;
  readonly audit: AuditFile;
  readonly tokens: Tokens;
  close(): Promise<void>;
}

export interface AccessParts {
  readonly stateDirectory: string;
  readonly clock: Clock;
  /** Requests a second for each token; 0: any number. */
  readonly perSecond: number;
  tell(event: EventDraft): void;
}

/** Opens nothing yet: files are read and written when somebody comes. */
export function openAccess({ stateDirectory, clock, perSecond, tell }: AccessParts): Access {
  const audit = openAuditFile({ stateDirectory, clock, tell });
  const file = new TokenFile(stateDirectory);
  const gate = new TokenGate({ tokens: file, audit, clock, perSecond, tell });
  return {
    gate,
    audit,
    tokens: tokensOf(file, audit, clock),
    async close() {
      gate.close();
      await audit.close();
    },
  };
}

import { resolve } from 'node:path';
import { fleetHealth } from '@hsu-master/core';
import * as asked from '../asked.ts';
import type { Handlers } from '../handlers.ts';
import * as told from '../told.ts';

const MOST_ENTRIES = 10_000;
const LONGEST_REASON = 200;
const LONGEST_PATH = 4096;

export const masterService: Handlers<'hsu.v1.MasterService'> = {
  GetVersion(_question, call) {
    call.demand('master:read');
    return told.version(call.control.master());
  },

  GetHealth(_question, call) {
    call.demand('master:read');
    return told.health(fleetHealth(call.control.workers({ patterns: [], namespace: null }, false)));
  },

  ListCapabilities(_question, call) {
    call.demand('master:read');
    return { capabilities: call.control.capabilities().map(told.capability) };
  },

  Validate({ text, file }, call) {
    call.demand('config:validate');
    const name = asked.optional('file', file, LONGEST_PATH) || 'config.yaml';
    return told.validation(call.control.validate(text, resolve(name)));
  },

  async ListAudit({ limit, action, by }, call) {
    call.demand('audit:read');
    const entries = await call.audit.read({
      limit: asked.whole('limit', limit, { least: 1, most: MOST_ENTRIES, otherwise: 100 }),
      action: asked.optional('action', action, 64),
      by: asked.optional('by', by, 64),
    });
    return { entries: entries.map(told.auditEntry) };
  },

  async Shutdown({ reason }, call) {
    const by = call.demand('master:shutdown');
    const why = asked.optional('reason', reason, LONGEST_REASON) || 'asked for';
    return call.control.shutdown(why, by);
  },
};

/** The service of the original. */
export const statusService = (isOpen: boolean): Handlers<'proto.MasterService'> => ({
  Status(_question, call) {
    if (!isOpen) call.demand('master:read');
    return { status: 'hsu-master: OK' };
  },
});

export const coreService: Handlers<'proto.CoreService'> = { Ping: () => ({}) };

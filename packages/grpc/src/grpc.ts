import type { GrpcPort } from '@hsu-master/core';
import { Conversation } from './check.ts';
import { UnitControl } from './control.ts';

/** Speaks gRPC in plain text: with programs of this machine, or with what encrypts before them. */
export function openGrpc(): GrpcPort {
  const controls = new Set<UnitControl>();
  return {
    check(target, call, answered) {
      const conversation = new Conversation(target, answered);
      conversation.begin(call);
      return () => conversation.end();
    },
    control(target, unit, heard) {
      const control = new UnitControl(target, unit, heard, () => controls.delete(control));
      controls.add(control);
      return control;
    },
    close() {
      for (const control of controls) control.close();
    },
  };
}

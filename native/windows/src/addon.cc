// Node-API glue: what the addon offers to packages/native.

#include <napi.h>

#include "engine_object.h"
#include "hsu/glue/pump_object.h"
#include "platform_object.h"
#include "process_glue.h"

namespace {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("Engine", hsu::EngineObject::define(env));
  hsu::define_processes(env, exports);
  exports.Set("Pump", hsu::PumpObject::define(env));
  hsu::define_platform(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(hsu_native, initialize)

// Node-API glue: what the addon offers to packages/native.

#include <napi.h>

#include "engine_object.h"
#include "process_glue.h"
#if __has_include("pump_object.h")
#include "pump_object.h"
#endif
#if __has_include("system.h")
#include "system.h"
#endif

namespace {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("Engine", hsu::EngineObject::define(env));
  hsu::define_processes(env, exports);
#if __has_include("pump_object.h")
  exports.Set("Pump", hsu::PumpObject::define(env));
#endif
#if __has_include("system.h")
  hsu::define_system(env, exports);
#endif
  return exports;
}

}  // namespace

NODE_API_MODULE(hsu_native, initialize)

#pragma once

#include <napi.h>

#include <memory>

#include "engine.h"
#include "hsu/glue/living_object.h"

namespace hsu {

class EngineObject : public glue::LivingObject<EngineObject, std::unique_ptr<Engine>> {
 public:
  static constexpr const char* kName = "engine";
  static void part(Engine&) {}

  static Napi::Function define(Napi::Env env);
  explicit EngineObject(const Napi::CallbackInfo& info);

 private:
  const Job* job_of(const Napi::CallbackInfo& info);

  Napi::Value create_job(const Napi::CallbackInfo& info);
  Napi::Value open_job(const Napi::CallbackInfo& info);
  void close_job(const Napi::CallbackInfo& info);
  Napi::Value limit_job(const Napi::CallbackInfo& info);
  Napi::Value limit_job_cpu(const Napi::CallbackInfo& info);
  Napi::Value limit_job_ui(const Napi::CallbackInfo& info);
  Napi::Value limit_job_network(const Napi::CallbackInfo& info);
  Napi::Value assign(const Napi::CallbackInfo& info);
  Napi::Value park_job(const Napi::CallbackInfo& info);
  Napi::Value terminate_job(const Napi::CallbackInfo& info);
  Napi::Value job_pids(const Napi::CallbackInfo& info);
  Napi::Value job_usage(const Napi::CallbackInfo& info);
  Napi::Value spawn(const Napi::CallbackInfo& info);
  Napi::Value release(const Napi::CallbackInfo& info);
  Napi::Value terminate(const Napi::CallbackInfo& info);
  Napi::Value watch(const Napi::CallbackInfo& info);
  void unwatch(const Napi::CallbackInfo& info);
  void detach_output(const Napi::CallbackInfo& info);
  void acknowledge(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo&) { end(); }
};

}  // namespace hsu
